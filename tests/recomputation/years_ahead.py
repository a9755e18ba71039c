"""What the two models beside the score say of the next twelve months, by definition, in fractions."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .arithmetic import ZERO, next_month, rounded
from .near_thresholds import before, months_after
from .values import Valuation

SIGNS = {
    "net_interest_deposits_amount": 1, "net_interest_loans_amount": 1, "fee_income_amount": 1,
    "expected_loss_amount": -1, "cost_to_serve_avoidable_amount": -1, "perks_amount": -1,
}  # fmt: skip
Predicted = dict[tuple[str, date], Decimal]


def components_persist(known: Valuation) -> Predicted:
    """Each part of the last half-year x 2 half-years, each p of the one before; p as seen by the month."""
    products, squares = defaultdict(Decimal), defaultdict(Decimal)  # by month known in, part
    for customer, month in known.contributions:
        half = [before(month, back) for back in range(6)]
        after = months_after(month, 6)
        if after[-1] not in known.complete or any((customer, then) not in known.contributions for then in half):
            continue
        for part in SIGNS:
            first, second = (
                [
                    known.contributions[customer, then][part]
                    for then in months
                    if (customer, then) in known.contributions
                ]
                for months in (half, after)
            )
            if None not in first and None not in second:
                products[after[-1], part] += sum(first, ZERO) * sum(second, ZERO)
                squares[after[-1], part] += sum(first, ZERO) ** 2
    found = {}
    for month in known.months:
        seen = [then for then, _ in squares if then <= month]
        if not seen:
            continue
        persistence = {}
        for part in SIGNS:
            of, to = (
                rounded(sum(one for (then, name), one in sums.items() if then <= month and name == part), 2)
                for sums in (squares, products)
            )
            persistence[part] = Fraction(rounded(Fraction(to) / Fraction(of), 6)) if of else Fraction(0)
        for customer, then in known.contributions:
            if then != month:
                continue
            half = [before(month, back) for back in range(6) if (customer, before(month, back)) in known.contributions]
            parts = {part: [known.contributions[customer, one][part] for one in half] for part in SIGNS}
            if any(None in values for values in parts.values()):
                continue
            year = sum(
                sign * Fraction(sum(parts[part], ZERO)) * (persistence[part] + persistence[part] ** 2)
                for part, sign in SIGNS.items()
            )
            found[customer, month] = rounded(year * 6 / len(half), 2)
    return found


def markov_chain(known: Valuation) -> Predicted:
    """Twelve steps from tier to tier, each tier with its mean contribution of the last twelve months."""
    tier = {key: known.traits[key][0][0] for key in known.here}
    moves = defaultdict(Counter)  # by month known in
    for customer, month in known.here:
        then = next_month(month)
        if then in known.complete:
            moves[then][tier[customer, month], tier.get((customer, then), "gone")] += 1
    found: Predicted = {}
    seen: Counter = Counter()
    for month in known.months:
        seen += moves[month]
        brought = defaultdict(list)
        year = {before(month, back) for back in range(12)}
        for key in known.here:
            amount = known.contributions[key]["contribution_avoidable_amount"]
            if key[1] in year and amount is not None:
                brought[tier[key]].append(amount)
        mean = {name: Fraction(sum(amounts, ZERO)) / len(amounts) for name, amounts in brought.items()}
        leaving = Counter()
        for (origin, _), customers in seen.items():
            leaving[origin] += customers
        ahead = dict.fromkeys(leaving, Fraction(0))
        for _ in range(12):
            ahead = {
                origin: sum(
                    Fraction(customers, leaving[origin]) * (mean.get(to, Fraction(0)) + ahead.get(to, Fraction(0)))
                    for (of, to), customers in seen.items()
                    if of == origin
                )
                for origin in leaving
            }
        for customer, then in known.here:
            if then == month and tier[customer, then] in ahead:
                found[customer, month] = rounded(ahead[tier[customer, then]], 2)
    return found
