"""What is wrong with `transaction_classes.csv`, which says what each kind of transaction is to the asset bridge."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.profile_checks import did_you_mean

CLASSES = "transaction_classes"
FLOW_CLASSES = ("external", "income", "fee", "conversion", "internal")


def check_classes(rows: list[dict[str, str]]) -> Iterator[str]:
    """One sentence for each class that nobody knows; rows have their line as `_line`."""
    for row in rows:
        if row["flow_class"] not in FLOW_CLASSES:
            near = did_you_mean(row["flow_class"], FLOW_CLASSES)
            yield f"line {row['_line']}: flow_class is {row['flow_class']!r}: use one of {', '.join(FLOW_CLASSES)}{near}"
