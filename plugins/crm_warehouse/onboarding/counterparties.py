"""What is wrong with `counterparty_mappings.csv`, which says who stands on the other side of payments."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.profile_checks import did_you_mean

MAPPINGS = "counterparty_mappings"
ALLOWED = {"counterparty_kind": ("institution", "name"), "top_up_use": ("top_up", "money_fund", "")}


def check_mappings(rows: list[dict[str, str]]) -> Iterator[str]:
    """One sentence for each word that nobody knows; rows have their line as `_line`."""
    for row in rows:
        for column, allowed in ALLOWED.items():
            if row[column] not in allowed:
                near = did_you_mean(row[column], allowed)
                words = ", ".join(word or "nothing" for word in allowed)
                yield f"line {row['_line']}: {column} is {row[column]!r}: use one of {words}{near}"
