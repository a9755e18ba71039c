"""Tiers and their history."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

RATES_ALL_ASSETS = """not checked.is_feed_missing and exists (
            select 1 from marts.dim_tier_policies as policy
            where policy.policy_version = checked.policy_version and policy.rating_base = 'total'
                and policy.rating_window = 'month' and policy.rating_divisor = 'calendar' and policy.rating_scope = 'bank'
        )"""
KNOWN_NOW = "known_to = timestamp '9999-12-31'"


def build_rules() -> Iterator[Rule]:
    """Rules of the tier marts."""
    yield mart_rule(
        "rating_ties_to_assets",
        "fct_customer_tiers_monthly",
        f"""{RATES_ALL_ASSETS} and (checked.rating_amount is null or checked.rating_amount <> coalesce((
            select sum(aum.adb_amount) from marts.fct_customer_aum_monthly as aum
            where aum.customer_key = checked.customer_key and aum.month = checked.month
        ), 0) and checked.month in (
            select month from (
                select month, coalesce(tiers.rating_amount, 0) - coalesce(assets.amount, 0) as difference
                from marts.fct_customer_tiers_monthly as tiers
                full join (
                    select customer_key, month, sum(adb_amount) as amount from marts.fct_customer_aum_monthly group by all
                ) as assets using (customer_key, month)
            )
            -- Records of one person are added up before they are rounded, family by family.
            group by month having abs(sum(difference)) > 0.04 * count(*) filter (difference <> 0)
        ))""",
        name_en="Where the ladder rates all assets, the rated amounts of a month add up to the customers' assets",
        name_zh="全资产评级时，当月评级金额合计等于客户资产合计",
        reason="A tier must be explainable from the assets BI shows beside it; merged records only move amounts between customers.",
        dimension="consistency",
    )
    yield mart_rule(
        "tier_fits_threshold",
        "fct_customer_tiers_monthly",
        """not checked.is_feed_missing and checked.tier_code is distinct from (
            select max_by(policy.tier_code, policy.tier_rank) from marts.dim_tier_policies as policy
            where policy.policy_version = checked.policy_version
                and (policy.threshold_amount <= checked.rating_amount or policy.tier_rank = 1)
        )""",
        name_en="The tier is the highest whose threshold is reached",
        name_zh="等级为评级金额所达到的最高等级",
        reason="A customer in the wrong tier gets the wrong service, and the board the wrong count.",
    )
    yield mart_rule(
        "feed_came",
        "fct_customer_tiers_monthly",
        "checked.is_feed_missing",
        name_en="Every feed of balances and holdings came on every business day of the month",
        name_zh="当月每个营业日均收到余额与持仓数据",
        reason="A day that did not come must never be read as zero: tiers of the month stay what they were, and are not published.",
        dimension="completeness",
        may_be_waived=True,  # they are the last known ones, and marked
    )
    yield mart_rule(
        "no_gap_no_overlap",
        "fct_customer_tier_history",
        f"""checked.{KNOWN_NOW} and (checked.valid_from >= checked.valid_to or checked.valid_to <> coalesce((
            select min(later.valid_from) from marts.fct_customer_tier_history as later
            where later.customer_key = checked.customer_key and later.valid_from > checked.valid_from and later.{KNOWN_NOW}
        ), date '9999-12-31'))""",
        name_en="A customer's tier intervals follow one another without gap or overlap",
        name_zh="等级区间首尾相接，无空档、无重叠",
        reason="On any day a customer has exactly one tier.",
        dimension="consistency",
    )
    yield mart_rule(
        "interval_changes_tier",
        "fct_customer_tier_history",
        "checked.tier_code is not distinct from checked.previous_tier_code",
        name_en="Every interval begins with a change of tier",
        name_zh="每个区间均以等级变化开始",
        reason="An interval that changes nothing counts a movement that never was.",
    )
    yield mart_rule(
        "known_after_valid_data",
        "fct_customer_tier_history",
        "checked.known_from is null",
        name_en="It is on record when each tier became known",
        name_zh="每个等级均有获知时间",
        reason="What was reported, and when, must be answerable.",
        dimension="completeness",
        principle="BCBS 239 P3; auditability",
    )
    yield mart_rule(
        "current_tier_agrees",
        "dim_customers",
        f"""checked.tier_code is distinct from (
            select max(history.tier_code) from marts.fct_customer_tier_history as history
            where history.customer_key = checked.customer_key and history.valid_to = date '9999-12-31' and history.{KNOWN_NOW}
        )""",
        name_en="The customer's current tier is the last one of the history",
        name_zh="客户当前等级与等级历史一致",
        reason="Two marts that disagree are both distrusted.",
        dimension="consistency",
    )
