"""Bands of private banking and month ends that stand above their month, by definition."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from .arithmetic import ZERO, converted, next_month, rounded
from .bank import Bank
from .near_thresholds import before, last_day, months_after
from .tier_movements import complete_months
from .tiers import active_ladder, near_band


def wilson(crossed: int, n: int, z: float, sign: int) -> Decimal:
    """One end of the interval."""
    half = z * math.sqrt(crossed * (n - crossed) / n + z * z / 4)
    return rounded(Fraction(min(1.0, max(0.0, (crossed + z * z / 2 + sign * half) / (n + z * z)))), 6)


def variation(ratings: list[Decimal]) -> Decimal | None:
    total = sum(ratings)
    if len(ratings) < 2 or total <= 0:
        return None
    spread = len(ratings) * sum(rating * rating for rating in ratings) - total * total
    return rounded(Fraction(math.sqrt(spread) / float(total)), 6)


def band_stability(bank: Bank, tiers: dict) -> dict[tuple[date, str, str], dict]:
    ladder = active_ladder(bank)
    private = next((rung for rung in ladder.rungs if rung["is_private_banking"] == "true"), None)
    if private is None or ladder.volatile_to is None:
        return {}
    below = next(rung for rung in ladder.rungs if rung["rank"] == private["rank"] - 1)
    line, months = private["threshold"], complete_months(bank)
    horizon, span = (int(bank.parameter(name)) for name in ("crossing_horizon_months", "band_history_months"))
    z = float(bank.parameter("wilson_z"))
    whole = {key: row["rating_amount"] for key, row in tiers.items() if not row["is_partial_month"]}
    bands = {
        "near": (below, lambda rating: line - near_band(private) <= rating < line),
        "volatile": (private, lambda rating: line <= rating <= ladder.volatile_to),
        "stable": (private, lambda rating: rating > ladder.volatile_to),
    }
    rows = {}
    for month in months:
        later = months_after(month, horizon)
        window = [before(month, back) for back in range(span)][::-1]
        for band, (rung, holds) in bands.items():
            members = [customer for (customer, then), rating in whole.items() if then == month and holds(rating)]
            crossed = flips = steps = 0
            variations = []
            for customer in members:
                sides = [(customer, then) in tiers and tiers[customer, then]["rating_amount"] >= line for then in later]
                crossed += any(sides) if band == "near" else not all(sides)
                ratings = [whole[customer, then] for then in window if (customer, then) in whole]
                changes = [a >= line for a in ratings]
                steps += len(changes) - 1
                flips += sum(a != b for a, b in zip(changes, changes[1:], strict=False))
                if (spread := variation(ratings)) is not None:
                    variations.append(spread)
            n, is_known = len(members), later[-1] in months
            has_share = bool(n) and is_known
            low, high = (wilson(crossed, n, z, sign) if has_share else None for sign in (-1, 1))
            claim = {"volatile": "moves", "stable": "stable"}.get(band)
            rows[month, rung["tier_code"], band] = {
                "policy_version": ladder.version,
                "customers": n,
                "crossing_share_3m": rounded(Fraction(crossed, n), 6) if has_share else None,
                "flips_per_year": rounded(Fraction(12 * flips, steps), 6) if steps else None,
                "aum_cv": rounded(Fraction(sum(variations)) / len(variations), 6) if variations else None,
                "wilson_low": low,
                "wilson_high": high,
                "claim": claim,
                "verdict": verdict(bank, claim, n, low, high) if claim and is_known else None,
            }
    return rows


def verdict(bank: Bank, claim: str, n: int, low: Decimal | None, high: Decimal | None) -> str:
    if n < bank.parameter("band_min_customers"):
        return "undecided"
    limit = bank.parameter({"moves": "band_moves_min_share", "stable": "band_stable_max_share"}[claim])
    if low > limit:
        return "holds" if claim == "moves" else "does_not_hold"
    if high < limit:
        return "does_not_hold" if claim == "moves" else "holds"
    return "undecided"


def early_amounts(bank: Bank, month: date) -> list[dict[str, Decimal]] | None:
    """Each customer's assets on the first days of the next month; None where those are not known day by day."""
    days = [next_month(month) + timedelta(days=n) for n in range(int(bank.parameter("dressing_reversal_days")))]
    if days[-1] > bank.business_date or any(next_month(month) in position.averages for position in bank.positions):
        return None
    amounts = []
    for day in days:
        sums = defaultdict(Decimal)
        for position in bank.positions:
            if bank.products[position.product_id]["counts_in_aum"] and (amount := position.day_ends.on(day)):
                for customer, share in position.holders.items():
                    sums[customer] += converted(amount, bank.rates[position.currency].on(day)) * share
        amounts.append({customer: rounded(amount, 2) for customer, amount in sums.items()})
    return amounts


def window_dressing(bank: Bank, aum: dict) -> dict[tuple[date, str, str], dict]:
    """Rows of customers under their ids, which become tokens when they are compared."""
    averages, closings = defaultdict(Decimal), defaultdict(Decimal)
    for (customer, month, _), amounts in aum.items():
        averages[customer, month] += amounts["adb_amount"]
        closings[customer, month] += amounts["eop_amount"]
    least = bank.parameter("dressing_reversal_min_share")
    months, rows = set(complete_months(bank)), {}
    early = {month: early_amounts(bank, month) for month in months}
    members = defaultdict(list)
    partial = {}
    for (customer, month), is_partial in bank.customer_months().items():
        if month in months:
            partial[customer, month] = is_partial
            manager = bank.manager_on(customer, last_day(bank, month))
            branch = bank.customers[customer]["branch_id"]
            for level, key in (("customer", customer), ("rm", manager), ("branch", branch)):
                if key:
                    members[month, level, key].append(customer)
    for (month, level, key), customers in members.items():
        average = sum((averages.get((customer, month), ZERO) for customer in customers), ZERO)
        closing = sum((closings.get((customer, month), ZERO) for customer in customers), ZERO)
        excess = closing - average
        limit = bank.parameter(f"dressing_{'customer' if level == 'customer' else 'level'}_max_share")
        reversed_ = None
        if early[month] is not None:
            lowest = min(sum((day.get(customer, ZERO) for customer in customers), ZERO) for day in early[month])
            reversed_ = excess > 0 and closing - lowest >= least * excess
        is_judged = average > 0 and not (level == "customer" and partial[key, month])
        rows[month, level, key] = {
            "adb_amount": average,
            "eop_amount": closing,
            "excess_amount": excess,
            "eop_over_adb": rounded(Fraction(excess) / Fraction(average), 6) if average else None,
            "reversed_within_5d": reversed_,
            "limit_share": limit,
            "is_flagged": excess > limit * average if is_judged else None,
        }
    return rows
