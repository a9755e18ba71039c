"""What is damaged in the customers' history and in their completeness, and the rule that must find it: (rule, SQL, rows found)."""

HISTORY, CUSTOMERS, COMPLETENESS = "dim_customers_history", "dim_customers", "fct_data_completeness"
OPEN = "valid_to = date '9999-12-31'"
LAST = "month = date '2026-06-01'"


def one(table: str, change: str, where: str = "true") -> str:
    """SQL that changes one row."""
    return f"update {table} set {change} where rowid = (select min(rowid) from {table} where {where})"


def without_one(table: str, where: str = "true") -> str:
    return f"delete from {table} where rowid = (select min(rowid) from {table} where {where})"


# Of a customer with more than one interval: the last but one.
BEFORE = f"not {OPEN}"
HISTORY_DAMAGES = {
    "an interval ends a day early": (
        f"{HISTORY}.intervals_follow_each_other",
        one(HISTORY, "valid_to = valid_to - 1", BEFORE),
        1,
    ),
    "an interval ends a day late": (
        f"{HISTORY}.intervals_follow_each_other",
        one(HISTORY, "valid_to = valid_to + 1", BEFORE),
        1,
    ),
    # Of a customer with a past: of one with this interval alone nothing is left to be wrong.
    "no open interval": (
        f"{HISTORY}.intervals_follow_each_other",
        without_one(HISTORY, f"{OPEN} and customer_key in (select customer_key from {HISTORY} where {BEFORE})"),
        None,
    ),
    "an empty interval": (
        f"{HISTORY}.intervals_follow_each_other",
        one(HISTORY, "valid_from = valid_to", BEFORE),
        None,
    ),
    "two open intervals": (
        f"{HISTORY}.intervals_follow_each_other",
        one(HISTORY, "valid_to = date '9999-12-31'", BEFORE),
        1,
    ),
    "a first day later": (
        f"{HISTORY}.begins_with_the_relationship",
        one(HISTORY, "valid_from = valid_from + 1", "valid_from = onboarded_on"),
        1,
    ),
    "an opening that is to come": (
        f"{HISTORY}.begins_with_the_relationship",
        one(HISTORY, "onboarded_on = valid_from + 1", "onboarded_on < valid_from"),
        1,
    ),
    "a closing that is to come": (
        f"{HISTORY}.begins_with_the_relationship",
        one(HISTORY, "closed_on = valid_from + 1", "closed_on is not null"),
        1,
    ),
    "no opening": (f"{HISTORY}.begins_with_the_relationship", one(HISTORY, "onboarded_on = null"), 1),
    "a change of tomorrow": (
        f"{HISTORY}.nothing_after_the_business_date",
        one(HISTORY, "valid_from = date '2026-07-01'", OPEN),
        1,
    ),
    "an end of tomorrow": (
        f"{HISTORY}.nothing_after_the_business_date",
        one(HISTORY, "valid_to = date '2026-07-01'", OPEN),
        1,
    ),
    "another branch than the history's": (f"{CUSTOMERS}.is_the_open_interval", one(CUSTOMERS, "branch_id = 'X'"), 1),
    "a band that the history does not have": (
        f"{CUSTOMERS}.is_the_open_interval",
        one(CUSTOMERS, "age_band = null, is_founder_generation = null"),
        1,
    ),
    "a flag turned": (
        f"{CUSTOMERS}.is_the_open_interval",
        one(HISTORY, "is_cautious = not is_cautious", f"{OPEN} and is_cautious is not null"),
        1,
    ),
    "a customer without history": (
        f"{CUSTOMERS}.is_the_open_interval",
        f"delete from {HISTORY} where customer_key = (select min(customer_key) from {HISTORY})",
        1,
    ),
    "a history of nobody": (f"{HISTORY}.customers_exist", without_one(CUSTOMERS), None),
    "a first record of nobody": (f"{HISTORY}.customers_exist", one(HISTORY, "first_record_key = 'nobody'"), 1),
    "merged into itself": (f"{HISTORY}.customers_exist", one(HISTORY, "is_merged_record = not is_merged_record"), 1),
    "one attribute too many": (
        f"{HISTORY}.filled_attributes_counted",
        one(HISTORY, "attributes_filled = attributes_filled + 1"),
        1,
    ),
    "an attribute lost": (
        f"{HISTORY}.filled_attributes_counted",
        one(HISTORY, "occupation_code = null", "occupation_code is not null"),
        1,
    ),
    "another list of attributes": (f"{HISTORY}.filled_attributes_counted", one(HISTORY, "attributes_expected = 7"), 1),
    "a share of its own": (f"{HISTORY}.filled_attributes_counted", one(HISTORY, "completeness_ratio = 0.99"), 1),
    "more filled than customers": (
        f"{COMPLETENESS}.share_of_customers",
        one(COMPLETENESS, "filled = customers + 1"),
        1,
    ),
    "a better share": (
        f"{COMPLETENESS}.share_of_customers",
        one(COMPLETENESS, "completeness_ratio = completeness_ratio + 0.01"),
        1,
    ),
    "known before it was said": (f"{COMPLETENESS}.share_of_customers", one(COMPLETENESS, "freshness_days = -1"), 1),
    "an attribute is missing": (
        f"{COMPLETENESS}.every_attribute_of_the_same_customers",
        without_one(COMPLETENESS),
        None,
    ),
    "customers of its own": (
        f"{COMPLETENESS}.every_attribute_of_the_same_customers",
        one(COMPLETENESS, "customers = customers - 1"),
        1,
    ),
    "a customer not counted": (
        f"{COMPLETENESS}.counts_the_customers_there_are",
        f"update {COMPLETENESS} set customers = customers - 1 where {LAST}",
        15,
    ),
}
