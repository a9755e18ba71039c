"""Customers beside the general ledger: each closed month's line, branch and currency, by definition."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

from .arithmetic import OPEN_END, ZERO, day_or_none, days_in, month_of, rounded
from .bank import Bank
from .ledger_lines import Line


def ledger_reconciliation(bank: Bank, lines: list[Line]) -> dict[tuple, dict]:
    """Rows of every month that is over and has a closing before it, or is a January."""
    if bank.ledger is None:
        return {}
    closings = {}
    for day in bank.ledger:
        closings[month_of(day)] = max(closings.get(month_of(day), day), day)
    policy = bank.policy("ledger_contribution_lines")
    customers = bank.customer_months()
    rows = {}
    for month, closing in sorted(closings.items()):
        before = month_of(month - timedelta(days=1))
        is_over = month.replace(day=days_in(month)) <= bank.business_date
        if not is_over or (before not in closings and month.month != 1):
            continue
        named = {row["ledger_code"]: row for row in policy if _is_in_force(row, month)}
        opening = bank.ledger[closings[before]] if month.month > 1 else {}
        cells: dict[tuple, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for code, branch, currency in bank.ledger[closing].keys() | opening.keys():
            if code in named:
                place = code, branch, currency
                flow = bank.ledger[closing].get(place, ZERO) - opening.get(place, ZERO)
                cells[place]["ledger"] = flow
                if named[code]["reconciled_with"] == "no_customer":
                    cells[place]["other"] = flow
        code_of = {row["reconciled_with"]: code for code, row in named.items()}
        for customer, on, component, branch, currency, amount, reported in lines:
            if on == month and component in code_of:
                cell = cells[code_of[component], branch, currency]
                known = (customer, month) in customers
                cell["customers" if known else "other"] += amount
                cell["reported"] += reported if known else ZERO
        for (code, branch, currency), cell in cells.items():
            warehouse, other = rounded(cell["customers"], 2), rounded(cell["other"], 2)
            if "ledger" not in cell and not any(cell.values()):
                continue
            difference = cell["ledger"] - warehouse - other
            most = max(
                bank.parameter("ledger_difference_rounding_amount"),
                bank.parameter("ledger_difference_max_share") * abs(cell["ledger"]),
            )
            rows[month, code, branch, currency] = {
                "line_name_en": named[code]["line_name_en"],
                "line_name_zh": named[code]["line_name_zh"],
                "reconciled_with": named[code]["reconciled_with"],
                "warehouse_amount": warehouse,
                "unallocated_amount": other,
                "erased_amount": ZERO,
                "ledger_amount": cell["ledger"],
                "difference_amount": difference,
                "is_reconciled": abs(difference) <= most,
                "missing_count": 0,
                "warehouse_reporting_amount": rounded(cell["reported"], 2),
            }
    return rows


def _is_in_force(row: dict, month: date) -> bool:
    return date.fromisoformat(row["effective_from"]) <= month < (day_or_none(row["effective_to"]) or OPEN_END)
