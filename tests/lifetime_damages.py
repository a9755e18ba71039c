"""What is damaged in the value marts, and the rule that must find it: (rule, SQL, rows found)."""

VALUES, CONTRIBUTIONS = "fct_customer_values", "fct_customer_contributions"
CURVES, BACKTESTS = "fct_value_concentration", "fct_value_backtests"
TOLD = "lifetime_value is not null and not has_left"


def one(table: str, change: str, where: str = "true") -> str:
    """SQL that changes one row."""
    return f"update {table} set {change} where rowid = (select min(rowid) from {table} where {where})"


LIFETIME_DAMAGES = {
    "no value": (f"{VALUES}.explicit_value.available", one(VALUES, "explicit_value = null"), 1),
    "a cent of growth too much": (f"{VALUES}.parts_add_up", one(VALUES, "growth_value = growth_value + 0.01", TOLD), 1),
    "a part that is missing": (f"{VALUES}.parts_add_up", one(VALUES, "potential_value = null", TOLD), 1),
    "value that no contribution explains": (
        f"{VALUES}.ties_to_contributions",
        one(VALUES, "explicit_value = explicit_value + 0.02"),
        1,
    ),
    "a month too many": (f"{VALUES}.ties_to_contributions", one(VALUES, "months_observed = months_observed + 1"), 1),
    "contribution without value": (
        f"{CONTRIBUTIONS}.one_row_per_contribution",
        f"delete from {VALUES} where rowid = (select min(rowid) from {VALUES})",
        None,
    ),
    "value twice": (
        f"{CONTRIBUTIONS}.one_row_per_contribution",
        f"insert into {VALUES} select * from {VALUES} limit 1",
        None,
    ),
    "more than certain to stay": (f"{VALUES}.shares_within_bounds", one(VALUES, "retention_12m = 1.000001", TOLD), 1),
    "more than all the wallet": (f"{VALUES}.shares_within_bounds", one(VALUES, "share_of_wallet = 1.000001", TOLD), 1),
    "no share": (f"{VALUES}.shares_within_bounds", one(VALUES, "share_of_wallet = null", "wealth_stock_amount > 0"), 1),
    "a yuan counted twice": (
        f"{VALUES}.wallet_not_exceeded",
        one(VALUES, "horizon_captured_amount = wealth_stock_amount - horizon_assets_amount + 0.01", TOLD),
        1,
    ),
    "no wallet": (f"{VALUES}.wallet_not_exceeded", one(VALUES, "wealth_stock_amount = null", TOLD), 1),
    "a leaver of worth": (f"{VALUES}.who_left_is_worth_nothing", one(VALUES, "lifetime_value = 1", "has_left"), 1),
    "a leaver in the pyramid": (
        f"{VALUES}.who_left_is_worth_nothing",
        one(VALUES, "pyramid_level = 'gold'", "has_left"),
        1,
    ),
    "a loss called iron": (
        f"{VALUES}.pyramid_fits_value",
        one(VALUES, "pyramid_level = 'iron'", "explicit_value < 0"),
        1,
    ),
    "a profit called lead": (
        f"{VALUES}.pyramid_fits_value",
        one(VALUES, "pyramid_level = 'lead'", "explicit_value > 0 and not has_left"),
        1,
    ),
    "no class": (f"{VALUES}.pyramid_fits_value", one(VALUES, "value_class = null", TOLD), 1),
    "a curve that does not end": (
        f"{CURVES}.curve_is_whole",
        one(CURVES, "cumulative_share = 0.999999", "percentile = 100"),
        1,
    ),
    "a fifth that has less": (
        f"{CURVES}.curve_is_whole",
        one(CURVES, "top20_share = top20_share - 0.00001", "percentile = 80"),
        1,
    ),
    "more than unequal": (f"{CURVES}.curve_is_whole", one(CURVES, "gini = 1.000001"), 1),
    "a percentile left out": (
        "dim_dates.has_curves_of_every_month",
        f"delete from {CURVES} where month = date '2026-03-01' and measure = 'aum' and percentile = 50",
        1,
    ),
    "better than it proved": (
        f"{BACKTESTS}.beside_naive_model",
        one(BACKTESTS, "is_better_than_baseline = not is_better_than_baseline"),
        1,
    ),
    "no naive model": (
        f"{BACKTESTS}.beside_naive_model",
        f"delete from {BACKTESTS} where month = date '2025-03-01' and model = 'last_year_repeats'",
        None,
    ),
    "the worst decile left out": (
        f"{BACKTESTS}.covers_every_score",
        f"delete from {BACKTESTS} where month = date '2025-03-01' and model = 'lifetime_value' and decile = 10",
        None,
    ),
    "a bad year left out": (
        f"{VALUES}.scores_backtested",
        f"delete from {BACKTESTS} where month = date '2025-03-01'",
        None,
    ),
}
