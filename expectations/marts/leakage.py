"""Money that leaves for payment platforms and competitors: does the estimate follow from what was seen, and the flag from policy?"""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.policy import read_policy
from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

PLATFORMS, COMPETITORS = "fct_payment_platform_flows", "fct_competitor_outflows"
UNMAPPED = "fct_unmapped_counterparties"


def build_rules(profile: Profile, coverage: dict[str, str]) -> Iterator[Rule]:
    """Rules of these marts, where the bank feeds them."""
    if coverage.get(PLATFORMS) != "dark":
        yield from _platform_amounts()
        yield from _platform_stocks()
    if coverage.get(COMPETITORS) != "dark":
        yield from _competitors(profile)
    if coverage.get(UNMAPPED) != "dark":
        yield from _unmapped()


def _share_is_wrong(share: str, part: str, whole: str) -> str:
    """A share that is not its two amounts' to six places, or is there without a whole, or is not there with one."""
    return f"""(checked.{share} is null) <> (coalesce(checked.{whole}, 0) <= 0)
        or coalesce(abs(checked.{share} * checked.{whole} - checked.{part}) > 0.0000005 * checked.{whole}, false)"""


def _platform_amounts() -> Iterator[Rule]:
    yield mart_rule(
        "outflow_adds_up",
        PLATFORMS,
        "checked.outflow_amount <> checked.spend_amount + checked.top_up_amount + checked.money_fund_amount",
        name_en="What went to a platform is spend, top-up and money fund, exactly",
        name_zh="流向平台的金额等于消费、充值与货币基金之和",
        reason="A split that loses money hides what it is about.",
        dimension="consistency",
    )
    amounts = ("outflow", "inflow", "spend", "top_up", "money_fund", "visible_spend", "estimated_stock")
    yield mart_rule(
        "amounts_not_negative",
        PLATFORMS,
        " or ".join(f"checked.{amount}_amount < 0" for amount in amounts),
        name_en="No amount of a platform is negative, the stock least of all",
        name_zh="平台各金额与估计存量均不为负",
        reason="Nobody has less than nothing in a wallet.",
        dimension="validity",
    )
    yield mart_rule(
        "visible_share_follows",
        PLATFORMS,
        "checked.visible_spend_amount > checked.spend_amount or "
        + _share_is_wrong("visible_merchant_share", "visible_spend_amount", "spend_amount"),
        name_en="The visible share is visible spend of spend, between 0 and 1",
        name_zh="可见商户比例等于可见消费占消费之比，介于 0 与 1",
        reason="A percentage has a denominator that can be seen.",
        dimension="consistency",
    )
    month = f"from marts.{PLATFORMS} as other where other.customer_key = checked.customer_key and other.month = checked.month"
    yield mart_rule(
        "unmapped_share_recomputes",
        PLATFORMS,
        f"""checked.total_outflow_amount <> (select sum(other.outflow_amount) {month})
            or checked.unmapped_outflow_amount <> coalesce(
                (select sum(other.outflow_amount) {month} and other.platform_id = 'unmapped'), 0)
            or {_share_is_wrong("unmapped_share", "unmapped_outflow_amount", "total_outflow_amount")}""",
        name_en="The unmapped share is that of the customer's month, between 0 and 1",
        name_zh="未映射比例与客户当月各平台流出一致，介于 0 与 1",
        reason="How much of the picture is missing must itself be right.",
        dimension="consistency",
    )


def _platform_stocks() -> Iterator[Rule]:
    yield mart_rule(
        "stock_follows_from_flows",
        PLATFORMS,
        f"""(checked.customer_key, checked.platform_id, checked.month) in (
            select customer_key, platform_id, month
            from (
                select *, lag(estimated_stock_amount, 1, 0) over (
                    partition by customer_key, platform_id order by month) as before
                from marts.{PLATFORMS}
            ) as followed
            where estimated_stock_amount is distinct from greatest(before + top_up_amount + money_fund_amount - inflow_amount, 0)
        )""",
        name_en="A stock is the one before plus what went in less what came back, not below 0",
        name_zh="存量 = 上期存量 + 充值与货币基金 − 转回，不低于 0",
        reason="An estimate that nobody can follow is a guess.",
    )
    yield mart_rule(
        "stock_is_carried",
        PLATFORMS,
        f"""checked.estimated_stock_amount > 0
            and exists (
                select 1 from marts.fct_customer_tiers_monthly as months
                where months.customer_key = checked.customer_key and months.month = checked.month + to_months(1)
            )
            and not exists (
                select 1 from marts.{PLATFORMS} as later
                where later.customer_key = checked.customer_key and later.platform_id = checked.platform_id
                    and later.month = checked.month + to_months(1)
            )""",
        name_en="A stock is still there a month later, or has gone by a flow",
        name_zh="存量次月仍在，除非有往来使之归零",
        reason="Money on a platform does not vanish in a month without flows.",
        dimension="completeness",
    )
    yield mart_rule(
        "unmapped_is_listed",
        PLATFORMS,
        f"""checked.platform_id = 'unmapped' and checked.outflow_amount > 0
            and not exists (
                select 1 from marts.{UNMAPPED} as listed
                where listed.counterparty_type = 'payment_platform'
                    and listed.first_on < checked.month + to_months(1) and listed.last_on >= checked.month
            )""",
        name_en="What is unmapped has counterparties that are listed to be mapped",
        name_zh="未映射的流出均有待映射的对手列示",
        reason="What is missing and not listed is never mapped.",
        dimension="completeness",
    )


def _competitors(profile: Profile) -> Iterator[Rule]:
    least, smallest, window = (
        _in_force(profile, f"poaching_{name}") for name in ("min_share", "min_adb_amount", "window_days")
    )
    yield mart_rule(
        "share_follows",
        COMPETITORS,
        """(checked.share_of_adb is null) <> (coalesce(checked.adb_amount, 0) <= 0)
            or coalesce(abs(checked.share_of_adb * checked.adb_amount - checked.net_outflow_30d_amount)
                > 0.0000005 * checked.adb_amount, false)""",
        name_en="The share is net outflow of the assets before the window",
        name_zh="流出比例等于净流出占窗口前日均资产之比",
        reason="A percentage has a denominator that can be seen.",
        dimension="consistency",
    )
    yield mart_rule(
        "assets_are_those_before_the_window",
        COMPETITORS,
        f"""checked.adb_amount is distinct from (
            select sum(assets.adb_amount) from marts.fct_customer_aum_monthly as assets
            where assets.customer_key = checked.customer_key and assets.month
                = date_trunc('month', date_trunc('month', checked.outflow_date - cast({window} - 1 as integer)) - interval 1 day)
        )""",
        name_en="Assets are those of fct_customer_aum_monthly, of the month before the window",
        name_zh="日均资产与 fct_customer_aum_monthly 一致，取窗口前一个月",
        reason="What has already left must not make the share smaller or larger.",
        dimension="consistency",
    )
    yield mart_rule(
        "poaching_follows_policy",
        COMPETITORS,
        f"""checked.is_poaching is distinct from case
            when checked.institution_type <> 'other_bank' then false
            when checked.is_own_name is null or checked.adb_amount is null then null
            else checked.adb_amount >= {smallest} and checked.net_outflow_30d_amount >= {least} * checked.adb_amount
        end""",
        name_en="What is called poaching follows from the share and policy",
        name_zh="抢挖标记由比例与政策得出",
        reason="Somebody is called about this customer tomorrow.",
    )
    yield mart_rule(
        "poaching_starts_once",
        COMPETITORS,
        f"""checked.starts_poaching is distinct from (checked.is_poaching and not coalesce(
            (checked.customer_key, checked.destination_institution_id, checked.outflow_date) in (
                select customer_key, destination_institution_id, outflow_date
                from (
                    select *, lag(outflow_date) over (
                        partition by customer_key, destination_institution_id order by outflow_date) as before
                    from marts.{COMPETITORS} as checked where is_poaching
                ) as checked
                where before >= outflow_date - cast({window} as integer)
            ), false))""",
        name_en="A run of poaching has one first day",
        name_zh="每段抢挖只有一个首日",
        reason="Counted twice, one customer is two losses.",
    )
    yield mart_rule(
        "outflow_not_negative",
        COMPETITORS,
        "checked.outflow_amount < 0",
        name_en="A day's outflow is not negative",
        name_zh="当日流出不为负",
        reason="What came back stands in the net amount.",
        dimension="validity",
    )


def _unmapped() -> Iterator[Rule]:
    yield mart_rule(
        "ranked_by_amount",
        UNMAPPED,
        f"""checked.first_on > checked.last_on or checked.outflow_amount < 0 or checked.customers < 1
            or checked.amount_rank <> 1 + (
                select count(*) from marts.{UNMAPPED} as other
                where (-other.outflow_amount, other.counterparty_type, other.counterparty_kind, other.counterparty)
                    < (-checked.outflow_amount, checked.counterparty_type, checked.counterparty_kind, checked.counterparty)
            )""",
        name_en="Unmapped counterparties are ranked by what went to them",
        name_zh="未映射对手按流出金额排名",
        reason="The first of the list is what is mapped next.",
        dimension="consistency",
    )
    yield mart_rule(
        "tokens_not_names",
        UNMAPPED,
        "length(checked.counterparty) > 64 or not regexp_full_match(checked.counterparty, '[0-9A-Za-z_-]+')",
        name_en="A counterparty is a code or a token, never a name",
        name_zh="对手为编号或令牌，绝无姓名",
        reason="Names of people and shops are personal and stay out of the marts.",
        dimension="validity",
    )


def _in_force(profile: Profile, name: str) -> str:
    """SQL of a parameter as in force on the first of the month of `checked.outflow_date`."""
    rows = [row for row in read_policy(profile.folder, "policy_parameters") if row["parameter"] == name]
    cases = " ".join(
        f"when date_trunc('month', checked.outflow_date) >= date '{row['effective_from']}' then {row['value']}"
        for row in sorted(rows, key=lambda row: row["effective_from"], reverse=True)
    )
    return f"(case {cases} end)" if cases else "null"
