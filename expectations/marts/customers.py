"""Customers and their assets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule


def build_rules(as_of: date) -> Iterator[Rule]:
    """Rules of the customer marts for one business date."""
    yield mart_rule(
        "reaches_business_date",
        "dim_dates",
        f"checked.calendar_date = (select max(calendar_date) from marts.dim_dates) and checked.calendar_date <> date '{as_of}'",
        name_en="The warehouse reaches the business date",
        name_zh="数据截止到业务日",
        reason="Yesterday's figures under today's date mislead whoever acts on them.",
        dimension="timeliness",
        owner="data-engineering",
        principle="BCBS 239 P5 timeliness",
    )
    yield mart_rule(
        "onboarded_by_business_date",
        "dim_customers",
        f"checked.onboarded_on is null or checked.onboarded_on > date '{as_of}'",
        name_en="Nobody is a customer before the first day of the relationship",
        name_zh="客户关系起始日不晚于业务日",
        reason="What is dated later than the run is not known yet.",
        dimension="consistency",
    )
    yield mart_rule(
        "branch_exists",
        "dim_customers",
        "checked.branch_id not in (select branch_id from marts.dim_branches)",
        name_en="Every customer's branch exists",
        name_zh="客户所属网点存在",
        reason="A customer of no branch drops out of every branch's figures.",
        severity="warn",
        dimension="consistency",
    )
    yield mart_rule(
        "amounts_not_negative",
        "fct_customer_aum_monthly",
        "checked.adb_amount is null or checked.adb_amount < 0 or checked.eop_amount is null or checked.eop_amount < 0",
        name_en="Assets are known and not negative",
        name_zh="资产已知且不为负",
        reason="An overdraft is lending; a negative asset is an error of sign or source.",
    )
    yield mart_rule(
        "customer_exists",
        "fct_customer_aum_monthly",
        "checked.customer_key not in (select customer_key from marts.dim_customers)",
        name_en="Every customer with assets is a customer",
        name_zh="有资产的客户均在客户维表中",
        reason="Assets of nobody make totals and lists disagree.",
        dimension="consistency",
    )
    yield mart_rule(
        "total_moves_plausibly",
        "fct_customer_aum_monthly",
        """checked.month in (
            select month from (
                select month, sum(adb_amount) as total, lag(sum(adb_amount)) over (order by month) as before
                from marts.fct_customer_aum_monthly group by month
            ) where before > 0 and (total < before / 2 or total > before * 2)
        )""",
        name_en="Total assets neither halve nor double from one month to the next",
        name_zh="总资产环比未减半或翻倍",
        reason="Such a jump is nearly always a missing feed or a wrong unit.",
        severity="warn",
        dimension="validity",
    )
