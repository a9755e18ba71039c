"""Customer value: what is published adds up, ties to contribution, and counts no money twice."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule
from expectations.marts.value import PARTS_PROVIDED_BY

LAST_COMPLETE_MONTH = "(select max(month) from marts.dim_dates where is_month_end)"


def build_rules(profile: Profile) -> Iterator[Rule]:
    """Rules of the value, concentration and backtest marts of one bank."""
    yield from _value_rules(profile)
    yield from _concentration_rules()
    yield from _backtest_rules()


def _value_rules(profile: Profile) -> Iterator[Rule]:
    is_provided = {table for tables in PARTS_PROVIDED_BY.values() for table in tables} <= set(profile.provided)
    yield mart_rule(
        "explicit_value.available" if is_provided else "explicit_value.not_available",
        "fct_customer_values",
        "checked.explicit_value is null"
        if is_provided
        else "checked.explicit_value is not null or checked.lifetime_value is not null",
        name_en="Value is there" if is_provided else "Value is not available, and not shown as zero",
        name_zh="客户价值已提供" if is_provided else "客户价值不可得，且未以零代替",
        reason="A missing source must read as missing, a provided one must reach every customer.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
    yield mart_rule(
        "parts_add_up",
        "fct_customer_values",
        "checked.lifetime_value is distinct from checked.base_value + checked.growth_value + checked.potential_value",
        name_en="Base, growth and potential add up to lifetime value, to the cent",
        name_zh="终身价值等于基础、成长与潜在价值之和，精确到分",
        reason="A total that its parts do not explain cannot be defended.",
    )
    yield mart_rule(
        "ties_to_contributions",
        "fct_customer_values",
        """not exists (
            select 1 from (
                select customer_key, month, count(*) over trailing_year as months,
                    sum(contribution_avoidable_amount) over trailing_year as amount
                from marts.fct_customer_contributions
                window trailing_year as (
                    partition by customer_key order by month range between interval 11 month preceding and current row
                )
            ) as years
            where years.customer_key = checked.customer_key and years.month = checked.month
                and years.months = checked.months_observed
                and (years.amount is null) = (checked.explicit_value is null)
                and coalesce(abs(checked.explicit_value * years.months - 12 * years.amount) <= 0.005 * years.months, true)
        )""",
        name_en="Explicit value is the contribution of the trailing year",
        name_zh="显性价值等于滚动十二个月贡献度",
        reason="Value and contribution that disagree are both distrusted.",
        dimension="consistency",
    )
    yield mart_rule(
        "one_row_per_contribution",
        "fct_customer_contributions",
        """not exists (
            select 1 from marts.fct_customer_values as scores
            where scores.customer_key = checked.customer_key and scores.month = checked.month
        )
        or (select count(*) from marts.fct_customer_values) <> (select count(*) from marts.fct_customer_contributions)""",
        name_en="Every contribution has its value, and no value stands without one",
        name_zh="每条贡献度均有对应客户价值，反之亦然",
        reason="Who is not valued is not looked after.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
    yield mart_rule(
        "shares_within_bounds",
        "fct_customer_values",
        """coalesce(checked.retention_12m not between 0 and 1, false)
        or coalesce(checked.share_of_wallet not between 0 and 1, false)
        or (checked.share_of_wallet is null) <> (coalesce(checked.wealth_stock_amount, 0) = 0)""",
        name_en="Retention and share of wallet lie between 0 and 1",
        name_zh="留存率与钱包份额介于 0 与 1",
        reason="A share above one means that a customer has more here than anywhere.",
        dimension="validity",
    )
    yield mart_rule(
        "wallet_not_exceeded",
        "fct_customer_values",
        """checked.horizon_assets_amount + coalesce(checked.horizon_captured_amount, 0) > checked.wealth_stock_amount
        and checked.horizon_assets_amount is not null
        or (checked.wealth_stock_amount is null) <> checked.has_left""",
        name_en="Assets as they grow and wealth captured never exceed the wealth stock",
        name_zh="成长后的资产与承接的他行财富之和不超过财富存量",
        reason="A yuan that growth and potential both count is worth nothing the second time.",
    )
    yield mart_rule(
        "who_left_is_worth_nothing",
        "fct_customer_values",
        """checked.has_left and (coalesce(checked.lifetime_value, 0) <> 0 or checked.retention_12m <> 0
            or checked.pyramid_level is not null or checked.value_class is not null)""",
        name_en="Who has left has no value ahead, no retention and no class",
        name_zh="已离行客户无未来价值、无留存、无分类",
        reason="A campaign for those who are gone is money lost.",
    )
    yield mart_rule(
        "pyramid_fits_value",
        "fct_customer_values",
        """(checked.pyramid_level is null) <> (checked.has_left or checked.explicit_value is null)
        or coalesce((checked.pyramid_level = 'lead') <> (checked.explicit_value < 0), false)
        or (checked.value_class is null) <> (checked.has_left or checked.lifetime_value is null)""",
        name_en="Lead is who loses money, and everybody who is valued has a level and a class",
        name_zh="铅层即亏损客户；凡已估值客户均有层级与类别",
        reason="A loss that is called iron is never looked into.",
        dimension="consistency",
    )


def _concentration_rules() -> Iterator[Rule]:
    yield mart_rule(
        "curve_is_whole",
        "fct_value_concentration",
        """checked.total_amount > 0 and (
            checked.percentile = 0 and checked.cumulative_share <> 0
            or checked.percentile = 100 and checked.cumulative_share <> 1
            or checked.percentile = 80 and abs(checked.top20_share - 1 + checked.cumulative_share) > 0.000001
            or checked.gini not between 0 and 1
            or checked.top20_share > checked.peak_share
            or checked.cumulative_share is null
        )
        or checked.total_amount <= 0 and (checked.gini is not null or checked.top20_share is not null)""",
        name_en="The curve goes from nothing to all, and says what the top fifth has",
        name_zh="洛伦兹曲线自零至一，并与前 20% 份额一致",
        reason="The 80/20 rule is quoted in every board paper; it must be measured right.",
    )
    yield mart_rule(
        "has_curves_of_every_month",
        "dim_dates",
        """checked.is_month_end and exists (
            select 1 from marts.fct_customer_values as scores where scores.month = checked.month and not scores.has_left
        ) and (
            (select count(*) from marts.fct_value_concentration as curve
                where curve.month = checked.month and curve.measure = 'aum') <> 101
            or exists (
                select 1 from marts.fct_customer_values as scores
                where scores.month = checked.month and not scores.has_left and scores.explicit_value is not null
            ) and (select count(*) from marts.fct_value_concentration as curve
                where curve.month = checked.month and curve.measure = 'contribution') <> 101
        )""",
        name_en="Every complete month has its curves",
        name_zh="每个完整月份均有集中度曲线",
        reason="A month that is left out hides a change.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )


def _backtest_rules() -> Iterator[Rule]:
    yield mart_rule(
        "beside_naive_model",
        "fct_value_backtests",
        """checked.is_better_than_baseline <> (checked.mean_absolute_error_amount < checked.baseline_absolute_error_amount)
        or coalesce(checked.rank_correlation not between -1 and 1, false)
        or not exists (
            select 1 from marts.fct_value_backtests as naive where naive.month = checked.month
                and naive.model = 'last_year_repeats'
                and naive.mean_absolute_error_amount = checked.baseline_absolute_error_amount
        )""",
        name_en="A model is shown beside the naive one, and better only where its error is smaller",
        name_zh="模型与朴素模型并列，误差更小方为更优",
        reason="A model that is shown alone always looks good.",
    )
    yield mart_rule(
        "covers_every_score",
        "fct_value_backtests",
        """(select sum(deciles.customers) from marts.fct_value_backtests as deciles
            where deciles.month = checked.month and deciles.model = checked.model) <> (
            select count(*) from marts.fct_customer_values as scores
            where scores.month = checked.month and not scores.has_left and scores.next_year_value is not null
        )""",
        name_en="Every score of the month is compared with what came",
        name_zh="当月全部评分均参与回测",
        reason="Scores that went wrong must not be left out.",
        dimension="completeness",
    )
    yield mart_rule(
        "scores_backtested",
        "fct_customer_values",
        f"""not checked.has_left and checked.next_year_value is not null
        and checked.month + interval 12 month <= {LAST_COMPLETE_MONTH}
        and checked.month not in (select month from marts.fct_value_backtests)""",
        name_en="Every month that a year has passed since is backtested",
        name_zh="满一年的评分月份均已回测",
        reason="A bad year must not be left out.",
        dimension="completeness",
        principle="BCBS 239 P4 completeness",
    )
