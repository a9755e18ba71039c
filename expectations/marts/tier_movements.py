"""Movements between tiers: what comes in and goes out explains what there is."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule


def build_rules() -> Iterator[Rule]:
    """Rules of the flow, migration and growth marts."""
    yield mart_rule(
        "closes",
        "fct_tier_flows",
        """checked.closing_count <> checked.opening_count + checked.opened + checked.up_in + checked.down_in
            + checked.won_back - checked.up_out - checked.down_out - checked.exited
        or checked.closing_amount <> checked.opening_amount + checked.opened_amount + checked.up_in_amount
            + checked.down_in_amount + checked.won_back_amount - checked.up_out_amount - checked.down_out_amount
            - checked.exited_amount + checked.retained_change_amount""",
        name_en="Opening plus what came less what went is closing, in customers and in money",
        name_zh="期初加流入减流出等于期末（客户数与金额）",
        reason="A count of private-banking customers that its movements do not explain cannot be rewarded.",
    )
    yield mart_rule(
        "opens_where_it_closed",
        "fct_tier_flows",
        """(checked.opening_count, checked.opening_amount) <> coalesce((
            select (before.closing_count, before.closing_amount) from marts.fct_tier_flows as before
            where before.tier_code = checked.tier_code and before.month = checked.month - interval 1 month
        ), (checked.opening_count, checked.opening_amount))""",
        name_en="A month opens with what the month before closed with",
        name_zh="本月期初等于上月期末",
        reason="Customers who vanish between two months are counted in neither.",
        dimension="consistency",
    )
    yield mart_rule(
        "ties_to_customers",
        "fct_tier_flows",
        """(select max(calendar_date) filter (where is_month_end) = max(calendar_date) from marts.dim_dates)
        and checked.month = (select max(month) from marts.dim_dates)
        and checked.closing_count <> (
            select count(*) from marts.dim_customers as customers where customers.tier_code = checked.tier_code
        )""",
        name_en="At a month's end the tiers close with the customers who are in them",
        name_zh="月末各等级期末数等于客户维表中的客户数",
        reason="Two marts that disagree are both distrusted.",
        dimension="consistency",
    )
    yield mart_rule(
        "has_flows_of_every_month",
        "dim_tier_policies",
        """checked.is_active and exists (
            select 1 from marts.dim_dates as days where days.is_month_end and not exists (
                select 1 from marts.fct_tier_flows as flows
                where flows.month = days.month and flows.tier_code = checked.tier_code
            )
        )""",
        name_en="Every tier has its flows in every complete month",
        name_zh="每个等级每个完整月份均有流量",
        reason="A tier that is left out reads as one in which nothing happened.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
    yield mart_rule(
        "adds_up_to_one",
        "fct_tier_migration",
        """(1, checked.from_customers) <> (select (sum(state.probability), sum(state.customers))
            from marts.fct_tier_migration as state
            where state.month = checked.month and state.from_tier_code = checked.from_tier_code
                and state.from_grace_month = checked.from_grace_month)""",
        name_en="The probabilities of a state add up to exactly one",
        name_zh="同一起点的概率之和恰为 1",
        reason="A matrix that loses customers foretells a shrinking bank.",
    )
    yield mart_rule(
        "has_steps_of_every_month",
        "dim_dates",
        """checked.is_month_end and checked.month > (select min(month) from marts.dim_dates)
        and not exists (select 1 from marts.fct_tier_migration as steps where steps.month = checked.month)""",
        name_en="Every complete month after the first has its migration",
        name_zh="首月之后每个完整月份均有迁移",
        reason="A month that is left out breaks every half-life drawn from it.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
    yield mart_rule(
        "growth_adds_up",
        "fct_growth_mismatch",
        """checked.aum_growth is distinct from checked.count_growth + checked.average_growth
            and checked.aum_growth is not null""",
        name_en="Growth of assets is growth of customers plus growth per customer",
        name_zh="资产增长等于客户数增长加户均增长",
        reason="A mismatch is told by these three numbers; they must not disagree among themselves.",
    )
    yield mart_rule(
        "bridge_closes",
        "fct_growth_mismatch",
        """checked.closing_count <> checked.opening_count + checked.entrants - checked.leavers
        or checked.stayers <> checked.opening_count - checked.leavers
        or checked.closing_amount <> checked.opening_amount + checked.entrants_amount - checked.leavers_amount
            + checked.stayers_change_amount""",
        name_en="Entrants, leavers and stayers explain the closing",
        name_zh="新入、离开与留存客户完整解释期末",
        reason="Growth bought by new customers and growth of old ones call for different answers.",
    )
    yield mart_rule(
        "one_growth_per_flow",
        "fct_tier_flows",
        """(checked.closing_count, checked.closing_amount) is distinct from (
            select (growth.closing_count, growth.closing_amount) from marts.fct_growth_mismatch as growth
            where growth.month = checked.month and growth.tier_code = checked.tier_code
        )""",
        name_en="Growth is shown for the tiers and months of the flows, from the same ends",
        name_zh="增长与流量覆盖相同的月份与等级，期末一致",
        reason="Two marts that disagree are both distrusted.",
        dimension="consistency",
    )
