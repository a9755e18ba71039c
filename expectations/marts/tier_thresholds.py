"""Customers near thresholds: who they are, how likely they cross, and what the bands of private banking prove."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule


def build_rules() -> Iterator[Rule]:
    """Rules of the near-threshold, backtest and band marts."""
    yield mart_rule(
        "gap_fits_rating",
        "fct_near_threshold_customers",
        """checked.gap_amount <> abs(checked.threshold_amount - checked.rating_amount)
        or (checked.side = 'below') <> (checked.rating_amount < checked.threshold_amount)
        or checked.gap_tenth not between 1 and 10""",
        name_en="The gap is the distance of the rating from the threshold, on the side it says",
        name_zh="差额等于评级与门槛之距，方向一致",
        reason="A manager who is told a wrong gap asks the customer for the wrong sum.",
    )
    yield mart_rule(
        "propensity_is_probability",
        "fct_near_threshold_customers",
        "checked.crossing_propensity is not null and checked.crossing_propensity not between 0 and 1",
        name_en="A propensity lies between 0 and 1",
        name_zh="越过概率介于 0 与 1",
        reason="The pipeline is weighted by it.",
        dimension="validity",
    )
    yield mart_rule(
        "near_customers_listed",
        "fct_customer_tiers_monthly",
        """not checked.is_partial_month and (
            (checked.is_near_threshold and not exists (
                select 1 from marts.fct_near_threshold_customers as near where near.customer_key = checked.customer_key
                    and near.month = checked.month and near.side = 'below'))
            or (checked.is_at_risk and not exists (
                select 1 from marts.fct_near_threshold_customers as near where near.customer_key = checked.customer_key
                    and near.month = checked.month and near.side = 'above'))
        )""",
        name_en="Every customer flagged near a threshold or at risk is on the list",
        name_zh="所有临界与降级风险客户均已列示",
        reason="Who is not on the list is not called.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
    yield mart_rule(
        "beside_baseline",
        "fct_propensity_backtests",
        """checked.predicted_rate not between 0 and 1 or checked.observed_rate not between 0 and 1
        or checked.is_better_than_baseline <> (checked.model_brier_score < checked.baseline_brier_score)
        or not exists (
            select 1 from marts.fct_propensity_backtests as baseline where baseline.month = checked.month
                and baseline.model = 'base_rate' and baseline.model_brier_score = checked.baseline_brier_score
        )""",
        name_en="A model is shown beside the baseline, and better only where its error is smaller",
        name_zh="模型与基准并列，误差更小方为更优",
        reason="A model that is shown alone always looks good.",
    )
    yield mart_rule(
        "outcomes_backtested",
        "fct_near_threshold_customers",
        """checked.has_crossed is not null and checked.crossing_propensity is not null and not checked.is_partial_month
        and not exists (select 1 from marts.fct_propensity_backtests as tested where tested.month = checked.month)""",
        name_en="Every prediction whose outcome is known has been put to the test",
        name_zh="结果已知的预测均已回测",
        reason="Leaving out bad months is how a model comes to look good.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
    yield mart_rule(
        "share_within_interval",
        "fct_tier_band_stability",
        """(checked.crossing_share_3m is null) <> (checked.wilson_low is null)
        or (checked.crossing_share_3m is not null
            and checked.crossing_share_3m not between checked.wilson_low and checked.wilson_high)""",
        name_en="The share that crosses lies within its interval; where it is not known, neither is",
        name_zh="越过比例位于区间内；未知时两者皆空",
        reason="A verdict rests on the interval.",
    )
    yield mart_rule(
        "verdict_answers_claim",
        "fct_tier_band_stability",
        """(checked.claim is null and checked.verdict is not null)
        or (coalesce(checked.verdict, '') in ('holds', 'does_not_hold') and (checked.claim is null or checked.crossing_share_3m is null))
        or coalesce(checked.verdict, 'undecided') not in ('holds', 'does_not_hold', 'undecided')""",
        name_en="A verdict answers a claim, from a share that is known",
        name_zh="结论对应论断，且基于已知比例",
        reason="The claim is quoted to the board as proven or not.",
        dimension="consistency",
    )
    yield mart_rule(
        "has_bands_of_every_month",
        "dim_tier_policies",
        """checked.is_active and checked.is_private_banking and checked.volatile_to_amount is not null and exists (
            select 1 from marts.dim_dates as days
            where days.is_month_end and days.month >= checked.effective_from and days.month < checked.effective_to
            and (select count(*) from marts.fct_tier_band_stability as bands
                where bands.month = days.month and bands.tier_code = checked.tier_code) <> 2
        )""",
        name_en="Both bands of private banking are judged in every complete month",
        name_zh="私行两个区间每个完整月份均有结论",
        reason="A claim is tested in every month, not in those that suit it.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
