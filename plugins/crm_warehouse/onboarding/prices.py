"""What is wrong with a bank's customer rates and ledger lines: percents for fractions, dates that gap or overlap, codes nobody knows.

Rows are those of `deposit_rates.csv` and `ledger_contribution_lines.csv`, each with its line as `_line`. What is found is
(file without its ending, one sentence with line, field and what to do).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

from crm_warehouse.profile_checks import did_you_mean

Row = dict[str, str]
Found = Iterator[tuple[str, str]]
RATES, LINES = "deposit_rates", "ledger_contribution_lines"
# What a line of the ledger may be reconciled with (models/intermediate/value/int_customer_contribution_lines.sql).
COMPONENTS = (
    "deposit_transfer_income",
    "deposit_interest",
    "loan_interest",
    "loan_transfer_charge",
    "fee_income",
    "expected_loss",
    "cost_to_serve_full",
    "perks",
)
NO_CUSTOMER = "no_customer"
CODE = re.compile(r"[0-9A-Za-z._-]+")


def check_prices(rates: list[Row], lines: list[Row], highest: Decimal | None) -> Found:
    """Everything wrong with customer rates, none of which may be above `highest`, and with ledger lines."""
    for row in rates:
        if highest is not None and abs(Decimal(row["rate"])) > highest:
            yield (
                RATES,
                f"line {row['_line']}: rate of {row['product_id']} is {row['rate']}, above interest_rate_highest {highest}:"
                " write a fraction, as 0.045 for 4.5 %",
            )
    for name, rows in ((RATES, rates), (LINES, lines)):
        for row in rows:
            for field in ("approved_by", "decision_reference"):
                if not row[field].strip():
                    yield (
                        name,
                        f"line {row['_line']}: {field} is empty: it is in force by somebody's decision; write it",
                    )
    yield from _lines(lines)


def _lines(lines: list[Row]) -> Found:
    for row in lines:
        if not CODE.fullmatch(row["ledger_code"]):
            yield (
                LINES,
                f"line {row['_line']}: ledger_code is {row['ledger_code']!r}: write letters, digits, . _ and - only",
            )
        if row["reconciled_with"] not in (*COMPONENTS, NO_CUSTOMER):
            known = (*COMPONENTS, NO_CUSTOMER)
            near = did_you_mean(row["reconciled_with"], known)
            yield (
                LINES,
                f"line {row['_line']}: reconciled_with is {row['reconciled_with']!r}: use one of {', '.join(known)}{near}",
            )
        for field in ("effective_from", "effective_to"):
            if row[field] and date.fromisoformat(row[field]).day != 1:
                yield (
                    LINES,
                    f"line {row['_line']}: {field} is {row[field]}: a ledger line changes on the first of a month; write that",
                )
        if row["effective_to"] and row["effective_to"] <= row["effective_from"]:
            yield (
                LINES,
                f"line {row['_line']}: effective_to {row['effective_to']} is not after effective_from {row['effective_from']}:"
                " correct one of them",
            )
    by_code = sorted(lines, key=lambda row: (row["ledger_code"], row["effective_from"]))
    by_component = sorted(
        (row for row in lines if row["reconciled_with"] != NO_CUSTOMER),
        key=lambda row: (row["reconciled_with"], row["effective_from"]),
    )
    for field, rows in (("ledger_code", by_code), ("reconciled_with", by_component)):
        for before, after in pairwise(rows):
            if before[field] == after[field] and before["effective_to"] != after["effective_from"]:
                yield (
                    LINES,
                    f"line {after['_line']}: {field} {after[field]} begins on {after['effective_from']}, but line {before['_line']}"
                    f" has it until {before['effective_to'] or 'no date'}: one must end the day the next begins",
                )
    if lines:
        missing = [component for component in COMPONENTS if component not in {row["reconciled_with"] for row in lines}]
        if missing:
            yield (
                LINES,
                f"no line is reconciled with {', '.join(missing)}: what is in no line ties to nothing; write its row",
            )
