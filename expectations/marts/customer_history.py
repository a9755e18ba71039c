"""A customer's history is whole and ends in what dim_customers says; what is known of customers is counted rightly."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

HISTORY, CUSTOMERS, COMPLETENESS = "dim_customers_history", "dim_customers", "fct_data_completeness"
OPEN_END = "date '9999-12-31'"
ATTRIBUTES = (
    "region_code",
    "city_tier",
    "age_band",
    "gender",
    "occupation_code",
    "industry_code",
    "risk_rating",
    "branch_id",
)
SAID = (
    *ATTRIBUTES,
    *("tier_code", "onboarded_on", "closed_on", "primary_rm_id", "is_founder_generation", "is_county"),
    *("is_sole_proprietor", "is_cautious", "is_merged_record"),
)


def build_rules(as_of: date) -> Iterator[Rule]:
    """Rules of the customers' history and of their completeness for one business date."""
    yield from _history(as_of)
    yield from _completeness()


def _history(as_of: date) -> Iterator[Rule]:
    of_customer = f"from marts.{HISTORY} as other where other.customer_key = checked.customer_key"
    yield mart_rule(
        "intervals_follow_each_other",
        HISTORY,
        f"""checked.valid_from >= checked.valid_to or checked.valid_to <> coalesce(
            (select min(other.valid_from) {of_customer} and other.valid_from > checked.valid_from), {OPEN_END}
        )""",
        name_en="A customer's intervals follow each other without gap or overlap, the last one open",
        name_zh="客户历史区间首尾相接，无空档、无重叠，末段开放",
        reason="A day of two states or of none makes every figure joined by date wrong.",
        dimension="consistency",
    )
    yield mart_rule(
        "begins_with_the_relationship",
        HISTORY,
        f"""checked.onboarded_on > checked.valid_from or coalesce(checked.closed_on > checked.valid_from, false)
            or (checked.valid_from = (select min(other.valid_from) {of_customer}) and checked.onboarded_on <> checked.valid_from)""",
        name_en="History begins on the first day with the bank, and no opening or closing is dated later than the interval",
        name_zh="历史自客户首日起，起止日期均不晚于区间首日",
        reason="What had not happened yet must not be seen in the past.",
        dimension="consistency",
    )
    yield mart_rule(
        "nothing_after_the_business_date",
        HISTORY,
        f"checked.valid_from > date '{as_of}' or (checked.valid_to > date '{as_of}' and checked.valid_to <> {OPEN_END})",
        name_en="No change is dated after the business date",
        name_zh="无晚于业务日的变更",
        reason="What is dated later than the run is not known yet.",
        dimension="timeliness",
    )
    same = " and ".join(f"history.{column} is not distinct from checked.{column}" for column in SAID)
    yield mart_rule(
        "is_the_open_interval",
        CUSTOMERS,
        f"""(select count(*) from marts.{HISTORY} as history
            where history.customer_key = checked.customer_key and history.valid_to = {OPEN_END} and {same}) <> 1""",
        name_en="A customer is what the open interval of the history says",
        name_zh="客户维表与历史开放区间一致",
        reason="Two marts that disagree are both distrusted.",
        dimension="consistency",
    )
    yield mart_rule(
        "customers_exist",
        HISTORY,
        f"""checked.customer_key not in (select customer_key from marts.{CUSTOMERS})
            or checked.first_record_key not in (select customer_key from marts.{CUSTOMERS})
            or checked.is_merged_record <> (checked.first_record_key <> checked.customer_key)""",
        name_en="Who has a history is a customer, and so is the first record of the person",
        name_zh="历史中的客户及其首条记录均在客户维表中",
        reason="A history of nobody, or a person without a first record, adds up nowhere.",
        dimension="consistency",
    )
    filled = " + ".join(f"case when checked.{column} is null then 0 else 1 end" for column in ATTRIBUTES)
    yield mart_rule(
        "filled_attributes_counted",
        HISTORY,
        f"""checked.attributes_filled <> {filled} or checked.attributes_expected <> {len(ATTRIBUTES)}
            or abs(checked.completeness_ratio * checked.attributes_expected - checked.attributes_filled) > 0.00001""",
        name_en="Completeness is the count of filled attributes over those expected",
        name_zh="完整率等于已填属性数除以应填属性数",
        reason="A data owner is measured by it.",
        dimension="completeness",
    )


def _completeness() -> Iterator[Rule]:
    of_month = f"from marts.{COMPLETENESS} as other where other.month = checked.month"
    yield mart_rule(
        "share_of_customers",
        COMPLETENESS,
        """checked.customers <= 0 or checked.filled < 0 or checked.filled > checked.customers
            or abs(checked.completeness_ratio * checked.customers - checked.filled) > 0.000001 * checked.customers
            or coalesce(checked.freshness_days < 0, false) or (checked.filled = 0 and checked.freshness_days is not null)""",
        name_en="Filled is a part of the customers, the ratio its share, and no value is from the future",
        name_zh="已填数不超过客户数，完整率与之相符，时效不为负",
        reason="More filled than there are customers, or known before it was said, is an error of counting.",
    )
    yield mart_rule(
        "every_attribute_of_the_same_customers",
        COMPLETENESS,
        f"""checked.customers <> (select max(other.customers) {of_month})
            or (select count(*) {of_month}) <> (select count(distinct attribute) from marts.{COMPLETENESS})""",
        name_en="Each month has every attribute, all counted over the same customers",
        name_zh="每月各属性齐全，且客户口径一致",
        reason="Attributes compared over different customers are not comparable.",
        dimension="completeness",
    )
    yield mart_rule(
        "counts_the_customers_there_are",
        COMPLETENESS,
        f"""checked.month = (select max(month) from marts.dim_dates)
            and checked.customers <> (
                select count(*) from marts.{HISTORY} where valid_to = {OPEN_END} and is_listed and closed_on is null
            )""",
        name_en="In the last month all open and listed customers are counted",
        name_zh="最近月份计入全部在行且在册客户",
        reason="A share of fewer customers than there are flatters.",
        dimension="completeness",
    )
