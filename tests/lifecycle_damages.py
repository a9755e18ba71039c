"""What is damaged in churn and lifecycle, and the rule that must find it: (rule, SQL, rows found; None: more than one)."""

from lifetime_damages import one

CHURN, LIFECYCLE, HISTORY = "fct_customer_churn", "fct_customer_lifecycle_history", "fct_customer_tier_history"
TIERS = "fct_customer_tiers_monthly"
LAST = "month = date '2026-06-01'"
OPEN = "valid_to = date '9999-12-31'"


def without_one(table: str, where: str = "true") -> str:
    return f"delete from {table} where rowid = (select min(rowid) from {table} where {where})"


LIFECYCLE_DAMAGES = {
    "a month without churn": (f"{TIERS}.has_churn", without_one(CHURN, LAST), 1),
    "closed but not lost": (f"{CHURN}.closing_is_lost", one(LIFECYCLE, "state = 'mature'", "state = 'lost'"), 1),
    "lost on another day": (
        f"{CHURN}.closing_is_lost",
        one(LIFECYCLE, "valid_from = valid_from - 1", "state = 'lost'"),
        1,
    ),
    "lost but not closed": (
        f"{LIFECYCLE}.lost_is_a_closing",
        one(CHURN, "is_closed = false, closed_on = null", "is_closed"),
        1,
    ),
    "closed before lost": (f"{LIFECYCLE}.lost_is_a_closing", one(CHURN, "closed_on = closed_on - 1", "is_closed"), 1),
    "an exit that is no closing": (
        f"{HISTORY}.exit_is_a_closing",
        f"delete from {CHURN} where is_closed",
        None,
    ),
    "a move down that is no churn": (
        f"{CHURN}.tier_churn_is_a_move_down",
        one(CHURN, "is_tier_churn = false", "is_tier_churn"),
        1,
    ),
    "churn that is no move down": (
        f"{CHURN}.tier_churn_is_a_move_down",
        one(CHURN, "is_tier_churn = true", "not is_tier_churn"),
        1,
    ),
    "value churn taken off": (
        f"{CHURN}.value_churn_fits_its_amounts",
        one(CHURN, "is_value_churn = false", f"{LAST} and is_value_churn"),
        1,
    ),
    "value churn of one who stays": (
        f"{CHURN}.value_churn_fits_its_amounts",
        one(CHURN, "is_value_churn = true", f"{LAST} and not is_value_churn"),
        1,
    ),
    "silent and not watched": (
        f"{CHURN}.silence_fits_its_days",
        one(CHURN, "is_silent_90d = false", "is_silent_churn"),
        1,
    ),
    "silent since yesterday": (
        f"{CHURN}.silence_fits_its_days",
        one(CHURN, "is_silent_churn = true, is_silent_90d = true", f"{LAST} and last_event_on > date '2026-06-01'"),
        1,
    ),
    "a loss that nothing explains": (
        f"{CHURN}.lost_value_is_explained",
        one(CHURN, "value_lost_amount = 0.01", "not is_value_churn"),
        1,
    ),
    "less lost than was there": (
        f"{CHURN}.lost_value_is_explained",
        one(CHURN, "value_lost_amount = value_lost_amount - 0.01", "is_value_churn"),
        1,
    ),
    "nothing lost where nothing is known": (
        f"{CHURN}.lost_value_is_explained",
        one(CHURN, "value_lost_amount = 0", "not is_closed and is_value_churn is null"),
        1,
    ),
    "closed nobody knows when": (f"{CHURN}.flag_has_its_day", one(CHURN, "closed_on = null", "is_closed"), 1),
    "a day of nothing": (
        f"{CHURN}.flag_has_its_day",
        one(CHURN, "tier_churned_on = date '2026-01-01'", "not is_tier_churn"),
        1,
    ),
    "a past that is still open": (
        f"{CHURN}.only_the_end_is_open",
        one(CHURN, "is_censored = true", "month = date '2026-03-01'"),
        1,
    ),
    "an open end that is hidden": (
        f"{CHURN}.only_the_end_is_open",
        one(CHURN, "is_censored = false", "is_censored"),
        1,
    ),
    "by choice, says nobody": (f"{CHURN}.cause_is_not_known", one(CHURN, "is_involuntary = false"), 1),
    "a day in no state": (
        f"{LIFECYCLE}.no_gap_no_overlap",
        one(LIFECYCLE, "valid_to = valid_to - 1", f"not {OPEN}"),
        1,
    ),
    "a day in two states": (
        f"{LIFECYCLE}.no_gap_no_overlap",
        one(LIFECYCLE, "valid_to = valid_to + 1", f"not {OPEN}"),
        1,
    ),
    "an unknown state": (f"{LIFECYCLE}.interval_changes_state", one(LIFECYCLE, "state = 'away'", OPEN), 1),
    "a state before that was not": (
        f"{LIFECYCLE}.interval_changes_state",
        one(LIFECYCLE, "previous_state = 'prospect'", "previous_state = 'mature'"),
        1,
    ),
    "a customer in no state": ("dim_customers.has_one_state_today", without_one(LIFECYCLE, OPEN), 1),
    "dormant and busy": (
        f"{LIFECYCLE}.dormant_is_silent",
        f"update {CHURN} set is_silent_churn = false where {LAST}; "
        + one(LIFECYCLE, "valid_from = date '2026-07-01'", "state = 'dormant'"),
        1,
    ),
}
