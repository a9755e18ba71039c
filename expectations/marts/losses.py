"""What serving a customer costs, and whom the bank loses on: both are the contribution seen another way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from crm_warehouse.policy import parameter
from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

COSTS, LOSSES = "marts.fct_costs_to_serve", "marts.fct_loss_making_customers"
REASONS = ("rate", "balance", "channel_mix", "rm_time", "expected_loss", "perks", "waiver")


def build_rules(profile: Profile, coverage: dict[str, str], as_of: date) -> Iterator[Rule]:
    """Rules of these two marts, where the bank feeds them."""
    if coverage.get("fct_costs_to_serve") != "dark":
        for kind in ("full", "avoidable"):
            yield _channels_add_up(kind)
    if coverage.get("fct_loss_making_customers") != "dark":
        yield from _losses(profile, as_of)


def _channels_add_up(kind: str) -> Rule:
    of_customer = (
        f"from {COSTS} as costs where costs.customer_key = checked.customer_key and costs.month = checked.month"
    )
    return mart_rule(
        f"channels_add_up_to_{kind}_cost",
        "fct_customer_contributions",
        f"""checked.cost_to_serve_{kind}_amount is not null and abs(
            checked.cost_to_serve_{kind}_amount - coalesce((select sum(costs.cost_{kind}_amount) {of_customer}), 0)
        ) > 0.005 * (1 + coalesce((select count(*) {of_customer}), 0))""",
        name_en=f"Costs by channel add up to the cost to serve ({kind}), but for cents of rounding",
        name_zh=f"各渠道成本合计等于服务成本（{'完全' if kind == 'full' else '可避免'}口径），四舍五入的分除外",
        reason="A cost that is split must still be the same cost.",
    )


def _losses(profile: Profile, as_of: date) -> Iterator[Rule]:
    window = int(parameter(profile.folder, "loss_window_months", as_of))
    least = int(parameter(profile.folder, "loss_min_months", as_of))
    last = "(select max(month) from marts.fct_customer_contributions)"
    negative = f"""(
        select count(*) from marts.fct_customer_contributions as lost
        where lost.customer_key = checked.customer_key and lost.contribution_avoidable_amount < 0
            and lost.month > {last} - to_months({window})
    )"""
    yield mart_rule(
        "loses_as_its_months_say",
        "fct_loss_making_customers",
        f"checked.month = {last} and (checked.months_negative_of_6 <> {negative} or checked.months_negative_of_6 < {least})",
        name_en="Who is loss-making had enough months below zero (last month)",
        name_zh="亏损客户的负贡献月数符合政策（最近月份）",
        reason="To tell a manager that a customer costs money takes the months to show for it.",
    )
    yield mart_rule(
        "no_loss_maker_left_out",
        "fct_customer_contributions",
        f"""checked.month = {last} and checked.contribution_avoidable_amount is not null and {negative} >= {least}
            and not exists (select 1 from {LOSSES} as losses where losses.customer_key = checked.customer_key and losses.month = {last})""",
        name_en="Whoever had enough months below zero is listed (last month)",
        name_zh="负贡献月数达到政策者均已列示（最近月份）",
        reason="A loss that is not listed is never looked into.",
        dimension="completeness",
    )
    yield mart_rule(
        "reason_has_its_gap",
        "fct_loss_making_customers",
        f"""(checked.reason_code is null) <> (checked.reason_gap_amount is null)
            or (checked.reason_code is null) <> (checked.peer_median_amount is null)
            or coalesce(checked.reason_gap_amount <= 0, false)
            or coalesce(checked.reason_code not in {REASONS}, false)""",
        name_en="A reason is a known one and has a gap above zero",
        name_zh="原因为既定代码，且差距大于零",
        reason="A reason without a gap is an excuse.",
        dimension="consistency",
    )
    yield mart_rule(
        "contribution_is_the_contribution",
        "fct_loss_making_customers",
        """checked.contribution_avoidable_amount is distinct from (
            select said.contribution_avoidable_amount from marts.fct_customer_contributions as said
            where said.customer_key = checked.customer_key and said.month = checked.month
        )""",
        name_en="The contribution is the one of fct_customer_contributions",
        name_zh="贡献度与 fct_customer_contributions 一致",
        reason="Two figures of one name are worse than none.",
        dimension="consistency",
    )
