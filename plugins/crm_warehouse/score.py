"""How well the published marts see what the simulated bank hides: each measure compares one mart with the ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from crm_warehouse.errors import SettingsError
from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings
from crm_warehouse.sql_text import as_text

# truth.* are the files of the ground truth, marts.* what is published, tokens says which customer a key stands for.
# Every query gives one row: found, of how many, and what was found wrongly (null when that cannot be).
MEASURES = {
    "exits_found": (
        "fct_customer_tier_history",
        "relationships that truly ended and are shown as exited, by customer and month",
        "真实离行且显示为退出的关系",
        """
        with true_exits as (
            select customer_id, date_trunc('month', closed_on) as month from truth.exits
            where closed_on <= (select max(month) + interval 1 month - interval 1 day from marts.fct_customer_tiers_monthly)
        ),
        shown as (
            select distinct customer_id, date_trunc('month', valid_from - interval 1 day) as month
            from marts.fct_customer_tier_history inner join tokens using (customer_key) where known_to = timestamp '9999-12-31' and movement = 'exited'
        )
        select
            (select count(*) from true_exits semi join shown using (customer_id, month)),
            (select count(*) from true_exits),
            (select count(*) from shown anti join true_exits using (customer_id, month))
        """,
    ),
    "tier_moves_explained": (
        "fct_customer_tier_history",
        "moves up and down for which the truth knows what moved the customer's assets most in the month that decided",
        "可由真实原因解释的升降级",
        """
        with moves as (
            select customer_id, cast(valid_from - interval 1 month as date) as month
            from marts.fct_customer_tier_history inner join tokens using (customer_key) where known_to = timestamp '9999-12-31' and movement in ('up', 'down')
        )
        select (select count(*) from moves semi join truth.asset_moves using (customer_id, month)), count(*), null
        from moves
        """,
    ),
    "wealth_elsewhere_ranked": (
        "fct_customer_values",
        "customers of the tenth with truly most wealth elsewhere who are in the tenth shown with most (by chance one in ten)",
        "他行财富真实最高十分之一且显示在最高十分之一的客户",
        """
        with shown as (
            select customer_id, wealth_elsewhere_amount, row_number() over (order by wealth_elsewhere_amount desc, customer_id) as true_place,
                row_number() over (order by wealth_stock_amount * (1 - coalesce(share_of_wallet, 1)) desc, customer_id) as place,
                count(*) over () // 10 as tenth
            from marts.fct_customer_values inner join tokens using (customer_key) inner join truth.customers using (customer_id)
            where not has_left and month = (select max(month) from marts.fct_customer_values)
        )
        select count(*) filter (true_place <= tenth and place <= tenth), any_value(tenth), null from shown
        """,
    ),
    "churners_marked_down": (
        "fct_customer_values",
        "pairs of one who truly left within the next month and one customer of the same month, in which the leaver's score gave"
        " less chance to stay; equals count half (by chance half of all)",
        "次月真实离行客户与当月客户配对，离行者留存概率较低的对数（相等计半）",
        """
        with scores as (
            select customer_id, month, rank() over (partition by month order by retention_12m) as place,
                count(*) over (partition by month, retention_12m) as equals, count(*) over (partition by month) as customers
            from marts.fct_customer_values inner join tokens using (customer_key) where not has_left and retention_12m is not null
        )
        select cast(sum(customers - place - equals + 1 + (equals - 1) / 2) as bigint), cast(sum(customers - 1) as bigint), null
        from truth.exits inner join scores using (customer_id)
        where month = date_trunc('month', closed_on) - interval 1 month
        """,
    ),
    "unlikely_to_stay_marked_down": (
        "fct_customer_values",
        "pairs of a customer of the tenth with the lowest true chance to stay and any other, in which the last score gave the former"
        " less; equals count half (by chance a little less than half)",
        "真实留存概率最低十分之一客户与其他客户配对，前者得分较低的对数（相等计半）",
        """
        with scores as (
            select customer_id, rank() over (order by scores.retention_12m) as place,
                count(*) over (partition by scores.retention_12m) as equals, count(*) over () as customers,
                row_number() over (order by customers.retention_12m, customer_id) as true_place
            from marts.fct_customer_values as scores inner join tokens using (customer_key)
            inner join truth.customers as customers using (customer_id)
            where not has_left and month = (select max(month) from marts.fct_customer_values) and not isnan(customers.retention_12m)
        )
        select cast(sum(customers - place - equals + 1 + (equals - 1) / 2) as bigint), cast(sum(customers - 1) as bigint), null
        from scores where true_place <= customers // 10
        """,
    ),
    "platform_stock_ranked": (
        "fct_payment_platform_flows",
        "customers of the tenth with truly most on payment platforms who are in the tenth with the largest estimated stock (by chance one in ten)",
        "支付平台真实存量最高十分之一且估计存量也在最高十分之一的客户",
        """
        with estimated as (
            select customer_id, sum(estimated_stock_amount) as amount
            from marts.fct_payment_platform_flows inner join tokens using (customer_key)
            where month = (select max(month) from marts.fct_payment_platform_flows) group by customer_id
        ),
        ranked as (
            select row_number() over (order by sum(stock_amount) desc, customer_id) as true_place,
                row_number() over (order by coalesce(any_value(amount), 0) desc, customer_id) as place, count(*) over () // 10 as tenth
            from truth.platform_stocks left join estimated using (customer_id) group by customer_id
        )
        select count(*) filter (true_place <= tenth and place <= tenth), any_value(tenth), null from ranked
        """,
    ),
    "platform_stock_estimated": (
        "fct_payment_platform_flows",
        "money truly on payment platforms that the estimate has, in whole units of currency; wrong is what it has too much (paid from the"
        " wallet, which no bank sees), so (found + wrong) / total is estimate over truth",
        "支付平台真实存量中已估出的金额（元）；误报为高估部分（钱包内消费银行不可见），（命中 + 误报）/ 总数即估计与真实之比",
        """
        with estimated as (
            select customer_id, sum(estimated_stock_amount) as amount
            from marts.fct_payment_platform_flows inner join tokens using (customer_key)
            where month = (select max(month) from marts.fct_payment_platform_flows) group by customer_id
        ),
        true_stocks as (select customer_id, sum(stock_amount) as true_amount from truth.platform_stocks group by customer_id),
        compared as (
            select coalesce(amount, 0) as amount, coalesce(true_amount, 0) as true_amount
            from true_stocks full outer join estimated using (customer_id)
        )
        select cast(sum(least(amount, true_amount)) as bigint), cast(sum(true_amount) as bigint),
            cast(sum(greatest(amount - true_amount, 0)) as bigint)
        from compared
        """,
    ),
    "poached_customers_found": (
        "fct_competitor_outflows",
        "customers from whom a rival truly drew a fifth or more, shown as poached by that bank in the month; wrong are those shown whom no"
        " rival drew: money that truly went to an account of their own, for reasons of their own",
        "被竞争行真实抽走五分之一以上且当月显示为被该行抢挖的客户；误报为因自身原因转往本人他行账户者",
        """
        with drawn as (
            select distinct customer_id, rival_institution_id as destination_institution_id, cast(month as date) as month
            from truth.drains where share >= 0.2 and rival_institution_id is not null
        ),
        shown as (
            select distinct customer_id, destination_institution_id, cast(date_trunc('month', outflow_date) as date) as month
            from marts.fct_competitor_outflows inner join tokens using (customer_key) where starts_poaching
        )
        select
            (select count(*) from drawn semi join shown using (customer_id, destination_institution_id, month)),
            (select count(*) from drawn),
            (select count(*) from shown anti join drawn using (customer_id, destination_institution_id, month))
        """,
    ),
    "closings_found": (
        "fct_customer_churn",
        "relationships that truly ended and are shown as closed, by customer and month",
        "真实离行且显示为销户的关系",
        """
        with true_exits as (
            select customer_id, date_trunc('month', closed_on - 1) as month from truth.exits
            where date_trunc('month', closed_on - 1) between (select min(month) from marts.fct_customer_churn) and (select max(month) from marts.fct_customer_churn)
        ),
        shown as (
            select customer_id, month from marts.fct_customer_churn inner join tokens using (customer_key) where is_closed
        )
        select
            (select count(*) from true_exits semi join shown using (customer_id, month)),
            (select count(*) from true_exits),
            (select count(*) from shown anti join true_exits using (customer_id, month))
        """,
    ),
    "drains_found": (
        "fct_customer_churn",
        "customers of whom a rival truly drew half of the assets or more and of whom the mart can tell, shown as value churn or closed"
        " within the next three months",
        "真实被同业吸走一半以上资产且可判断的客户，三个月内显示为价值流失或销户",
        """
        with judged as (
            select drains.customer_id, drains.month,
                bool_or(coalesce(is_value_churn, false) or coalesce(is_closed, false)) as is_found
            from truth.drains inner join tokens using (customer_id)
            inner join marts.fct_customer_churn as churn
                on tokens.customer_key = churn.customer_key and churn.month between drains.month and drains.month + interval 3 month
            where drains.share >= 0.5
            group by drains.customer_id, drains.month
            having bool_or(is_closed or (trailing_max_amount is not null and churn.month > drains.month + interval 1 month))
        )
        select count(*) filter (is_found), count(*), null from judged
        """,
    ),
    "value_churn_explained": (
        "fct_customer_churn",
        "runs of value churn for which the truth knows what drew the customer's assets away or moved them most, in the month of the run"
        " or the one before",
        "可由真实原因解释的价值流失",
        """
        with runs as (
            select customer_id, month from marts.fct_customer_churn inner join tokens using (customer_key) where month = value_churn_from
        ),
        causes as (
            select customer_id, month from truth.drains
            union
            select customer_id, month from truth.asset_moves
        )
        select count(*) filter (exists (
            select 1 from causes where causes.customer_id = runs.customer_id and causes.month between runs.month - interval 1 month and runs.month
        )), count(*), null
        from runs
        """,
    ),
    "tier_churn_explained": (
        "fct_customer_churn",
        "moves down a tier for which the truth knows what moved the customer's assets most in the month that decided",
        "可由真实原因解释的降级流失",
        """
        with moves as (
            select customer_id, month from marts.fct_customer_churn inner join tokens using (customer_key) where is_tier_churn
        )
        select (select count(*) from moves semi join truth.asset_moves using (customer_id, month)), count(*), null
        from moves
        """,
    ),
}

# What later marts will be compared with; each becomes a measure above when its mart is published.
AWAITED = {
    "fct_rm_effectiveness": "relationship_managers: true effect",
    "fct_rm_departures": "drains: who went along with a manager",
    "fct_campaign_performance": "campaigns: true uplift",
}


@dataclass(frozen=True)
class Score:
    """One measure: found of total true cases, and wrong ones besides (None when the measure cannot be wrong so)."""

    name: str
    mart: str
    meaning_en: str
    meaning_zh: str
    found: int
    total: int
    wrong: int | None

    @property
    def recall(self) -> float | None:
        return self.found / self.total if self.total else None


def score_marts(settings: Settings) -> tuple[list[Score], dict[str, str]]:
    """Scores of the live version, and what is awaited from marts that are not published yet."""
    live = versions.live_version(settings)
    if not live:
        raise SettingsError("nothing is published yet, so there is nothing to score: run `make demo` first")
    if live["bank"] != settings.bank or not settings.ground_truth.is_dir():
        raise SettingsError(
            f"there is no ground truth of {live['bank']} in {settings.ground_truth}: only a simulated bank has one;"
            " write it with `crm-warehouse simulate`"
        )
    with duckdb.connect() as database:
        published = settings.published / live["file"]
        database.execute(f"attach {as_text(published)} as published (read_only); create schema truth")
        database.execute(f"create view tokens as from read_parquet({as_text(settings.token_map)}); create schema marts")
        for table in settings.ground_truth.glob("*.parquet"):
            database.execute(f"create view truth.{table.stem} as from read_parquet({as_text(table)})")
        for mart in live["tables"]:
            database.execute(f"create view marts.{mart} as from published.marts.{mart}")
        scores = [
            Score(name, mart, en, zh, *database.execute(query).fetchone())
            for name, (mart, en, zh, query) in MEASURES.items()
            if mart in live["tables"]
        ]
    return scores, {mart: what for mart, what in AWAITED.items() if mart not in live["tables"]}
