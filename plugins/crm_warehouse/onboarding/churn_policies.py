"""What is wrong with `customer_events.csv`, which says what a customer does of their own accord, and `churn_signs.csv`, which says
what shows that a customer left without wanting to."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.profile_checks import did_you_mean

EVENTS, SIGNS = "customer_events", "churn_signs"
EVENT_TYPES = ("transaction", "contact", "order", "service_request", "survey")
CAUSES = ("death", "divorce", "displacement")
# What the models read (models/intermediate/lifecycle/int_churn_signs.sql).
SIGN_COLUMNS = (
    "crm__service_requests.category",
    "crm__service_requests.resolution",
    "crm__contacts.purpose",
    "crm__contacts.outcome",
)

Row = dict[str, str]


def check_events(rows: list[Row]) -> Iterator[str]:
    """One sentence for each kind of event that nobody knows; rows have their line as `_line`."""
    for row in rows:
        if row["event_type"] not in EVENT_TYPES:
            yield _unknown(row, "event_type", row["event_type"], EVENT_TYPES)


def check_signs(rows: list[Row]) -> Iterator[str]:
    """One sentence for each column that no model reads and each cause that nobody knows."""
    for row in rows:
        column = f"{row['source_table']}.{row['source_column']}"
        if column not in SIGN_COLUMNS:
            yield _unknown(row, "source_table.source_column", column, SIGN_COLUMNS)
        if row["cause"] not in CAUSES:
            yield _unknown(row, "cause", row["cause"], CAUSES)


def _unknown(row: Row, field: str, value: str, known: tuple[str, ...]) -> str:
    return f"line {row['_line']}: {field} is {value!r}: use one of {', '.join(known)}{did_you_mean(value, known)}"
