"""Damages of the published marts, each with the mart rule that must find it."""

TOKEN = "0" * 32
CONTRIBUTION_PARTS = (
    "net_interest_deposits_amount",
    "net_interest_loans_amount",
    "fee_income_amount",
    "expected_loss_amount",
    "cost_to_serve_full_amount",
    "cost_to_serve_avoidable_amount",
    "perks_amount",
)


def one(table: str, change: str, where: str = "true") -> str:
    """SQL that changes one row."""
    return f"update {table} set {change} where rowid = (select min(rowid) from {table} where {where})"


def without_one(table: str, where: str = "true") -> str:
    return f"delete from {table} where rowid = (select min(rowid) from {table} where {where})"


def gap(subject: str, customers: int) -> str:
    """SQL that says an input of so many customers is missing."""
    return (
        f"insert into fct_contribution_gaps values (date '2026-03-01', 'net_interest_deposits_amount', 'transfer_price',"
        f" '{subject}', {customers}, 0, null, 'no transfer price for {subject}', '{subject} 缺少内部资金转移价格')"
    )


HISTORY, TIERS, AUM = "fct_customer_tier_history", "fct_customer_tiers_monthly", "fct_customer_aum_monthly"
CONTRIBUTIONS = "fct_customer_contributions"
CLOSED = "valid_to < date '9999-12-31'"
FLOWS, MIGRATION, GROWTH = "fct_tier_flows", "fct_tier_migration", "fct_growth_mismatch"
NEAR, BACKTESTS, BANDS = "fct_near_threshold_customers", "fct_propensity_backtests", "fct_tier_band_stability"
DRESSING = "fct_window_dressing"
LEDGER, GAPS = "fct_ledger_reconciliation", "fct_contribution_gaps"
COSTS, LOSSES = "fct_costs_to_serve", "fct_loss_making_customers"
LAST = "month = date '2026-06-01'"
MID = "month = date '2026-03-01'"

# What is damaged: (rule, SQL, rows found). None: more than one row follows from the damage.
DAMAGES = {
    "onboarded tomorrow": (
        "dim_customers.onboarded_by_business_date",
        one("dim_customers", "onboarded_on = date '2026-07-01'"),
        1,
    ),
    "never onboarded": ("dim_customers.onboarded_by_business_date", one("dim_customers", "onboarded_on = null"), 1),
    "unknown branch": ("dim_customers.branch_exists", one("dim_customers", "branch_id = 'B999'"), 1),
    "no branch": ("dim_customers.branch_exists", one("dim_customers", "branch_id = null"), 1),
    "another current tier": ("dim_customers.current_tier_agrees", one("dim_customers", "tier_code = 'X'"), 1),
    "no current tier": (
        "dim_customers.current_tier_agrees",
        one("dim_customers", "tier_code = null", "tier_code is not null"),
        1,
    ),
    "a day short": (
        "dim_dates.reaches_business_date",
        "delete from dim_dates where calendar_date >= date '2026-06-30'",
        1,
    ),
    "a day too far": (
        "dim_dates.reaches_business_date",
        "insert into dim_dates (calendar_date) values (date '2026-07-01')",
        1,
    ),
    "negative average": (f"{AUM}.amounts_not_negative", one(AUM, "adb_amount = -0.01"), 1),
    "negative at month end": (f"{AUM}.amounts_not_negative", one(AUM, "eop_amount = -0.01"), 1),
    "unknown amount": (f"{AUM}.amounts_not_negative", one(AUM, "adb_amount = null"), 1),
    "assets of nobody": (f"{AUM}.customer_exists", one(AUM, f"customer_key = '{TOKEN}'"), 1),
    "assets in fen": (
        f"{AUM}.total_moves_plausibly",
        f"update {AUM} set adb_amount = adb_amount * 100 where month = date '2026-06-01'",
        None,
    ),
    "a feed is missing": (
        f"{AUM}.total_moves_plausibly",
        f"update {AUM} set adb_amount = adb_amount / 10 where month = date '2026-06-01'",
        None,
    ),
    **{
        f"no {part}": (f"{CONTRIBUTIONS}.{part}.available", one(CONTRIBUTIONS, f"{part} = null"), 1)
        for part in CONTRIBUTION_PARTS
    },
    "a cent too much in full": (
        f"{CONTRIBUTIONS}.parts_add_up",
        one(CONTRIBUTIONS, "contribution_full_amount = contribution_full_amount + 0.01"),
        1,
    ),
    "a cent too little, avoidable": (
        f"{CONTRIBUTIONS}.parts_add_up",
        one(CONTRIBUTIONS, "contribution_avoidable_amount = contribution_avoidable_amount - 0.01"),
        1,
    ),
    "no total": (f"{CONTRIBUTIONS}.parts_add_up", one(CONTRIBUTIONS, "contribution_full_amount = null"), 1),
    "contribution without tier": (f"{CONTRIBUTIONS}.one_row_per_rated_month", without_one(TIERS), None),
    "tier without contribution": (f"{CONTRIBUTIONS}.one_row_per_rated_month", without_one(CONTRIBUTIONS), None),
    "contribution twice": (
        f"{CONTRIBUTIONS}.one_row_per_rated_month",
        f"insert into {CONTRIBUTIONS} select * from {CONTRIBUTIONS} limit 1",
        None,
    ),
    "a part without a reason": (f"{CONTRIBUTIONS}.reason_fits_parts", one(CONTRIBUTIONS, "perks_amount = null"), 1),
    "a reason without need": (f"{CONTRIBUTIONS}.reason_fits_parts", one(CONTRIBUTIONS, "unavailable_reason = 'x'"), 1),
    "a price that nobody delivered": (f"{GAPS}.nothing_missing", gap("TD-3M CNY", 7), 1),
    "a price that most customers need": (f"{GAPS}.concerns_few_customers", gap("DEM-CNY CNY", 200), 1),
    "a line off by more than policy": (
        f"{LEDGER}.ties_to_ledger",
        one(LEDGER, "difference_amount = 0.0002 * ledger_amount", "ledger_amount > 1000"),
        1,
    ),
    "a line off by more than rounding": (
        f"{LEDGER}.ties_to_ledger",
        one(LEDGER, "difference_amount = -0.03", "ledger_amount < 100"),
        1,
    ),
    "a line that nobody can tell": (f"{LEDGER}.cannot_be_told", one(LEDGER, "missing_count = 1"), 1),
    "a verdict against the amounts": (f"{LEDGER}.verdict_fits_difference", one(LEDGER, "is_reconciled = false"), 1),
    "no verdict": (f"{LEDGER}.verdict_fits_difference", one(LEDGER, "is_reconciled = null"), 1),
    "a difference that is not one": (
        f"{LEDGER}.verdict_fits_difference",
        one(LEDGER, "unallocated_amount = unallocated_amount + 0.01"),
        1,
    ),
    "a plug": (
        f"{LEDGER}.unallocated_by_policy",
        one(LEDGER, "reconciled_with = 'no_customer'", "ledger_code = '6601'"),
        1,
    ),
    "a line that policy does not name": (f"{LEDGER}.unallocated_by_policy", one(LEDGER, "ledger_code = '6999'"), 1),
    "customers in a line of none": (
        f"{LEDGER}.unallocated_by_policy",
        one(LEDGER, "warehouse_amount = 0.01", "reconciled_with = 'no_customer'"),
        1,
    ),
    "a line left out": (
        "dim_dates.has_ledger_of_every_month",
        f"delete from {LEDGER} where ledger_code = '6605' and {MID}",
        1,
    ),
    "no ledger at all": ("dim_dates.has_ledger_of_every_month", f"delete from {LEDGER}", None),
    "other money than was reconciled": (
        f"{CONTRIBUTIONS}.is_what_was_reconciled",
        one(CONTRIBUTIONS, "expected_loss_amount = expected_loss_amount + 10", MID),
        None,
    ),
    "a gap": (f"{HISTORY}.no_gap_no_overlap", one(HISTORY, "valid_to = valid_to - 1", CLOSED), 1),
    "an overlap": (f"{HISTORY}.no_gap_no_overlap", one(HISTORY, "valid_to = valid_to + 1", CLOSED), 1),
    "a history that ends": (
        f"{HISTORY}.no_gap_no_overlap",
        one(HISTORY, "valid_to = date '2026-06-30'", "valid_to = date '9999-12-31'"),
        1,
    ),
    "an interval of no day": (f"{HISTORY}.no_gap_no_overlap", one(HISTORY, "valid_to = valid_from"), None),
    "an interval without change": (
        f"{HISTORY}.interval_changes_tier",
        one(HISTORY, "previous_tier_code = tier_code"),
        1,
    ),
    "known nobody knows when": (f"{HISTORY}.known_after_valid_data", one(HISTORY, "known_from = null"), 1),
    "rated higher": (f"{TIERS}.rating_ties_to_assets", one(TIERS, "rating_amount = rating_amount + 1"), None),
    "not rated": (f"{TIERS}.rating_ties_to_assets", one(TIERS, "rating_amount = null"), None),
    "assets that no rating knows": (f"{TIERS}.rating_ties_to_assets", one(AUM, "adb_amount = adb_amount + 1"), None),
    "a day that did not come": (f"{TIERS}.feed_came", one(TIERS, "is_feed_missing = true"), 1),
    "another tier": (f"{TIERS}.tier_fits_threshold", one(TIERS, "tier_code = 'X'"), 1),
    "no tier": (f"{TIERS}.tier_fits_threshold", one(TIERS, "tier_code = null", "tier_code is not null"), 1),
    "another policy": (f"{TIERS}.tier_fits_threshold", one(TIERS, "policy_version = 'no such'"), 1),
    "one up from nowhere": (f"{FLOWS}.closes", one(FLOWS, "up_in = up_in + 1"), 1),
    "a cent from nowhere": (f"{FLOWS}.closes", one(FLOWS, "closing_amount = closing_amount + 0.01"), 1),
    "a month that opens otherwise": (
        f"{FLOWS}.opens_where_it_closed",
        one(FLOWS, "opening_count = 0", f"{MID} and opening_count > 0"),
        1,
    ),
    "a customer in no flow": (
        f"{FLOWS}.ties_to_customers",
        without_one("dim_customers", "tier_code = 'mass'"),
        1,
    ),
    "a tier without flows": (
        "dim_tier_policies.has_flows_of_every_month",
        without_one(FLOWS, f"tier_code = 'gold' and {MID}"),
        1,
    ),
    "flows without growth": (f"{FLOWS}.one_growth_per_flow", without_one(GROWTH), 1),
    "a state that leaks": (f"{MIGRATION}.adds_up_to_one", one(MIGRATION, "probability = probability - 0.000001"), None),
    "a customer less than the state": (
        f"{MIGRATION}.adds_up_to_one",
        one(MIGRATION, "customers = customers + 1"),
        None,
    ),
    "a month without migration": ("dim_dates.has_steps_of_every_month", f"delete from {MIGRATION} where {MID}", 1),
    "growth that does not add up": (
        f"{GROWTH}.growth_adds_up",
        one(GROWTH, "average_growth = average_growth + 0.000001", "aum_growth is not null"),
        1,
    ),
    "growth without its parts": (
        f"{GROWTH}.growth_adds_up",
        one(GROWTH, "count_growth = null", "aum_growth is not null"),
        1,
    ),
    "an entrant from nowhere": (f"{GROWTH}.bridge_closes", one(GROWTH, "entrants = entrants + 1"), 1),
    "a cent that stayed": (
        f"{GROWTH}.bridge_closes",
        one(GROWTH, "stayers_change_amount = stayers_change_amount + 0.01"),
        1,
    ),
    "a wrong gap": (f"{NEAR}.gap_fits_rating", one(NEAR, "gap_amount = gap_amount + 0.01"), 1),
    "the wrong side": (f"{NEAR}.gap_fits_rating", one(NEAR, "side = 'above'", "side = 'below'"), 1),
    "more than certain": (f"{NEAR}.propensity_is_probability", one(NEAR, "crossing_propensity = 1.000001"), 1),
    "a customer not on the list": (
        f"{TIERS}.near_customers_listed",
        without_one(NEAR, "side = 'below' and not is_partial_month"),
        1,
    ),
    "a risk not on the list": (
        f"{TIERS}.near_customers_listed",
        without_one(NEAR, "side = 'above' and not is_partial_month"),
        1,
    ),
    "a bad month left out": (f"{NEAR}.outcomes_backtested", f"delete from {BACKTESTS} where {MID}", None),
    "no baseline": (
        f"{BACKTESTS}.beside_baseline",
        f"delete from {BACKTESTS} where {MID} and model = 'base_rate'",
        None,
    ),
    "better than it is": (
        f"{BACKTESTS}.beside_baseline",
        one(BACKTESTS, "is_better_than_baseline = true", "not is_better_than_baseline"),
        1,
    ),
    "a share outside its interval": (
        f"{BANDS}.share_within_interval",
        one(BANDS, "wilson_high = crossing_share_3m - 0.000001", "crossing_share_3m > 0"),
        1,
    ),
    "a share without interval": (
        f"{BANDS}.share_within_interval",
        one(BANDS, "wilson_low = null", "wilson_low is not null"),
        1,
    ),
    "a verdict on the future": (
        f"{BANDS}.verdict_answers_claim",
        one(BANDS, "verdict = 'holds'", "crossing_share_3m is null"),
        1,
    ),
    "a verdict on nothing": (f"{BANDS}.verdict_answers_claim", one(BANDS, "verdict = 'undecided'", "claim is null"), 1),
    "another verdict": (f"{BANDS}.verdict_answers_claim", one(BANDS, "verdict = 'maybe'", "claim is not null"), 1),
    "a month without verdict": (
        "dim_tier_policies.has_bands_of_every_month",
        without_one(BANDS, f"band = 'stable' and {MID}"),
        1,
    ),
    "a flag without cause": (f"{DRESSING}.flag_fits_limit", one(DRESSING, "is_flagged = true", "excess_amount < 0"), 1),
    "a flag taken off": (f"{DRESSING}.flag_fits_limit", one(DRESSING, "is_flagged = false", "is_flagged"), 1),
    "a branch not judged": (f"{DRESSING}.flag_fits_limit", one(DRESSING, "is_flagged = null", "level = 'branch'"), 1),
    "an id among the levels": (
        f"{DRESSING}.key_fits_level",
        one(DRESSING, "level_key = 'C00000001'", "level = 'customer'"),
        1,
    ),
    "a quarter end left out": ("dim_dates.has_dressing_of_every_month", f"delete from {DRESSING} where {MID}", 1),
    "a channel's cost left out": (
        f"{CONTRIBUTIONS}.channels_add_up_to_full_cost",
        without_one(COSTS, "cost_full_amount > 1"),
        1,
    ),
    "a channel that costs more": (
        f"{CONTRIBUTIONS}.channels_add_up_to_avoidable_cost",
        one(COSTS, "cost_avoidable_amount = cost_avoidable_amount + 1"),
        1,
    ),
    "too few months of loss": (f"{LOSSES}.loses_as_its_months_say", one(LOSSES, "months_negative_of_6 = 2", LAST), 1),
    "a loss maker left out": (f"{CONTRIBUTIONS}.no_loss_maker_left_out", without_one(LOSSES, LAST), 1),
    "a reason without a gap": (
        f"{LOSSES}.reason_has_its_gap",
        one(LOSSES, "reason_gap_amount = 0", "reason_code is not null"),
        1,
    ),
    "an unknown reason": (
        f"{LOSSES}.reason_has_its_gap",
        one(LOSSES, "reason_code = 'bad luck'", "reason_code is not null"),
        1,
    ),
    "another contribution": (
        f"{LOSSES}.contribution_is_the_contribution",
        one(LOSSES, "contribution_avoidable_amount = contribution_avoidable_amount - 1"),
        1,
    ),
    "an empty mart": (f"{AUM}.rows_present", f"delete from {AUM}", 1),
    "a column too many": ("dim_customers.contract_columns", "alter table dim_customers add column mobile text", 1),
    "a column too few": ("dim_customers.contract_columns", "alter table dim_customers drop column gender", 1),
    "a column of another name": (
        "dim_customers.contract_columns",
        "alter table dim_customers rename column gender to sex",
        1,
    ),
    "an id for a token": ("dim_customers.customer_is_token", one("dim_customers", "customer_key = 'C00000001'"), 1),
    "a longer hash": ("dim_customers.customer_is_token", one("dim_customers", "customer_key = sha256('C1')"), 1),
    "half a token": (
        "dim_customers.customer_is_token",
        one("dim_customers", "customer_key = left(customer_key, 16)"),
        1,
    ),
    "no customer": ("dim_customers.customer_is_token", one("dim_customers", "customer_key = null"), 1),
}
