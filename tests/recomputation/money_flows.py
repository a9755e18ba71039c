"""What comes in and goes out, by what it is for."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction

from .arithmetic import ONE, month_of, rounded
from .bank import Bank
from .flow_classes import classify


def money_flows(bank: Bank) -> dict[tuple[str, date, str, str], dict]:
    classes = classify(bank)
    held = {position.account_id: position.holders for position in bank.positions if position.account_id}
    cells = defaultdict(lambda: {"transactions": 0, "in": Fraction(0), "out": Fraction(0)})
    for transaction in bank.transactions:
        classed = classes[transaction.transaction_id]
        if classed.flow_class == "correction":
            continue
        worth = rounded(
            Fraction(transaction.amount) * Fraction(bank.rates[transaction.currency].on(transaction.day)), 6
        )
        owner = bank.accounts[transaction.account_id].customer_id
        for customer, share in (held.get(transaction.account_id) or {owner: ONE}).items():
            if share > 0 and customer in bank.customers:
                key = customer, month_of(transaction.day), classed.flow_class, classed.flow_use or "other"
                cells[key]["transactions"] += 1
                cells[key]["in" if worth > 0 else "out"] += abs(Fraction(worth) * Fraction(share))
    return {
        key: {
            "transactions": cell["transactions"],
            "inflow_amount": rounded(cell["in"], 2),
            "outflow_amount": rounded(cell["out"], 2),
            "net_flow_amount": rounded(cell["in"], 2) - rounded(cell["out"], 2),
        }
        for key, cell in cells.items()
    }
