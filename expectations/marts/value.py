"""Contribution: parts that are there add up; parts that are not are not taken for zero."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

PARTS_PROVIDED_BY = {
    "net_interest_deposits_amount": ("finance__ftp_rates",),
    "net_interest_loans_amount": ("core__loans", "finance__ftp_rates"),
    "fee_income_amount": ("core__fees",),
    "expected_loss_amount": ("core__loans", "finance__ftp_rates"),
    "cost_to_serve_full_amount": ("finance__unit_costs",),
    "cost_to_serve_avoidable_amount": ("finance__unit_costs",),
    "perks_amount": ("crm__programmes",),
}


def without_gap(part: str) -> str:
    """No gap of the month explains why a customer lacks the part."""
    return (
        "(checked.unavailable_reason is null or not exists (select 1 from marts.fct_contribution_gaps as gaps"
        f" where gaps.month = checked.month and gaps.part = '{part}'"
        " and contains(checked.unavailable_reason, gaps.input || ': ' || gaps.subject)))"
    )


def build_rules(profile: Profile) -> Iterator[Rule]:
    """Rules of the value marts of one bank."""
    for part, tables in PARTS_PROVIDED_BY.items():
        is_provided = all(table in profile.provided for table in tables)
        yield mart_rule(
            f"{part}.available" if is_provided else f"{part}.not_available",
            "fct_customer_contributions",
            f"checked.{part} is null and {without_gap(part)}" if is_provided else f"checked.{part} is not null",
            name_en=f"{part} is there, or what it lacks is named"
            if is_provided
            else f"{part} is not available, and not shown as zero",
            name_zh=f"{part} 已提供，或已说明缺少何种输入" if is_provided else f"{part} 不可得，且未以零代替",
            reason="A missing source must read as missing, a provided one must reach every customer.",
            dimension="completeness",
            principle="BCBS 239 P4 completeness",
        )
    yield mart_rule(
        "parts_add_up",
        "fct_customer_contributions",
        """checked.contribution_avoidable_amount is distinct from
            checked.net_interest_deposits_amount + checked.net_interest_loans_amount + checked.fee_income_amount
            - checked.expected_loss_amount - checked.cost_to_serve_avoidable_amount - checked.perks_amount
        or checked.contribution_full_amount is distinct from
            checked.net_interest_deposits_amount + checked.net_interest_loans_amount + checked.fee_income_amount
            - checked.expected_loss_amount - checked.cost_to_serve_full_amount - checked.perks_amount""",
        name_en="The parts of the contribution add up to it",
        name_zh="贡献度等于各分项之和",
        reason="A total that its parts do not explain cannot be defended.",
    )
    yield mart_rule(
        "one_row_per_rated_month",
        "fct_customer_contributions",
        """(select count(*) from marts.fct_customer_contributions) <> (
            select count(distinct (customer_key, month)) from marts.fct_customer_contributions
        )
        or exists (
            select 1 from marts.fct_customer_tiers_monthly as tiers
            left join marts.fct_customer_contributions as contributions using (customer_key, month)
            where contributions.customer_key is null
        )
        or not exists (
            select 1 from marts.fct_customer_tiers_monthly as tiers
            where tiers.customer_key = checked.customer_key and tiers.month = checked.month
        ) and not exists (
            select 1 from marts.dim_customers as customers
            where customers.customer_key = checked.customer_key and customers.is_merged_record
        ) and not exists (
            select 1 from marts.fct_customer_tier_history as history
            where history.customer_key = checked.customer_key and history.reason in ('merged', 'unmerged')
        )""",
        name_en="Contribution and tier cover the same customers and months, records merged into others aside",
        name_zh="贡献度与等级覆盖相同的客户与月份（已合并记录除外）",
        reason="Value by tier is only whole when both know the same customers.",
        dimension="consistency",
    )
