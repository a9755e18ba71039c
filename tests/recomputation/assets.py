"""Assets of each customer, month and product family, by definition."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .arithmetic import ZERO, converted, rounded
from .bank import Bank


def aum_monthly(bank: Bank) -> dict[tuple[str, date, str], dict]:
    """Average and closing amount of each customer, month and family that counts in assets."""
    totals, closings = defaultdict(Decimal), defaultdict(Decimal)
    first_day, last_day = {}, {}
    for position in bank.positions:
        product = bank.products[position.product_id]
        if not product["counts_in_aum"]:
            continue
        rates, shares = bank.rates[position.currency], [pair for pair in position.holders.items() if pair[1] > 0]
        for month in bank.months:
            days = bank.days(month)
            held = [(day, amount) for day in days if (amount := position.amount_on(day)) is not None]
            if not held:
                continue
            total = sum((converted(amount, rates.on(day)) for day, amount in held), ZERO)
            closing = converted(position.day_ends.on(days[-1]) or ZERO, rates.on(days[-1]))
            for customer, share in shares:
                key = customer, month, product["product_family"]
                totals[key] += total * share
                closings[key] += closing * share
                first_day[key] = min(first_day.get(key, date.max), held[0][0])
                last_day[key] = max(last_day.get(key, date.min), held[-1][0])
    present = bank.customer_months()
    return {
        key: {
            "adb_amount": rounded(Fraction(total) / len(bank.days(key[1])), 2),
            "eop_amount": rounded(closings[key], 2),
            "days_observed": (last_day[key] - first_day[key]).days + 1,
        }
        for key, total in totals.items()
        if key[:2] in present
    }
