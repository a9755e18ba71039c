"""Lifetime value, how concentrated it is, and how it proved, by definition."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np

from .arithmetic import ZERO, rounded
from .bank import Bank
from .near_thresholds import months_after
from .values import SCENARIOS, Valuation, cents
from .years_ahead import components_persist, markov_chain


def forward_value(known: Valuation, key: tuple[str, date]) -> dict:
    """What lies ahead of a customer, month by month; nothing of it where a part cannot be known."""
    month, cell, year = key[1], known.cell[key], known.year[key]
    wealth, assets = float(known.wallet[key][0]), float(known.assets[key])
    usual = {what: known.usual(what, month, cell) for what in ("margin", "steps", "assets", "capture")}
    steps, margin = year["steps"], year["margin"]
    if assets <= 0:
        steps, margin = usual["steps"] or 0, None
        assets = None if usual["assets"] is None else min(float(usual["assets"]), wealth)
    row = {"retention_12m": None, "trend_rate": rounded(steps * known.number("growth_step_rate"), 6)}
    longest = int(known.number("value_horizon_long_months"))
    ahead = np.arange(1, longest + 1)
    fade, step = float(known.number("growth_fade_rate")), float(known.number("growth_step_rate"))
    level = np.cumprod(1 + steps * step * fade**ahead)
    path = None if assets is None else np.minimum(wealth, assets * level)
    horizon = int(known.number("value_horizon_months"))
    captured = None if usual["capture"] is None else 1 - (1 - usual["capture"]) ** (ahead / 12)
    if captured is not None and path is not None:
        assert (path + (wealth - path) * captured <= wealth * (1 + 1e-12)).all(), "a yuan is counted twice"
    survives = None
    if cell is not None:
        exposure, exits = known.life[month, cell]
        survives = (1 - exits / exposure) ** ahead
        row["retention_12m"] = rounded(Fraction((1 - exits / exposure) ** 12), 6)
    if usual["margin"] is None:
        own = None
    elif margin is None:
        own = float(usual["margin"])
    else:
        prior = int(known.number("margin_prior_months"))
        shrunk = Fraction(margin) * year["months"] + Fraction(usual["margin"]) * prior
        own = float(rounded(shrunk / (year["months"] + prior), 12))
    monthly = None if year["avoidable"] is None else float(rounded(Fraction(year["avoidable"]) / year["months"], 6))
    for name, (rate, months) in SCENARIOS.items():
        base = growth = potential = None
        if survives is not None and monthly is not None:
            rate, months = (float(known.number(rate)), int(known.number(months))) if rate else (0.0, 12)
            weight = survives * (1 + rate) ** (-ahead / 12) * (ahead <= months)
            base = cents(monthly * float(weight.sum()))
            if own is not None and path is not None:
                growth = cents(float((weight * (path - assets)).sum()) * own)
            if captured is not None and path is not None and usual["margin"] is not None:
                potential = cents(float((weight * (wealth - path) * captured).sum()) * float(usual["margin"]))
        parts = {"base_value": base, "growth_value": growth, "potential_value": potential}
        row |= parts if name == "lifetime_value" else {}
        row[name] = None if None in parts.values() else sum(parts.values(), ZERO)
    known_path = survives is not None and path is not None
    at_horizon = min(wealth, assets * level[horizon - 1]) if known_path else None
    row["horizon_assets"], row["wealth"] = at_horizon, wealth
    row["horizon_captured"] = None if captured is None or not known_path else captured[horizon - 1]
    return row


def customer_values(bank: Bank, known: Valuation) -> dict[tuple[str, date], dict]:
    rows = {}
    for key in known.spell:
        year, is_here = known.year[key], key in known.here
        ahead = forward_value(known, key) if is_here else None
        row = {
            "explicit_value": yearly(year, "avoidable"),
            "explicit_full_value": yearly(year, "full"),
            "wealth_stock_amount": known.wallet[key][0] if is_here else None,
            "wealth_stock_source": known.wallet[key][1] if is_here else None,
            "share_of_wallet": None,
            "retention_12m": ahead["retention_12m"] if is_here else ZERO,
            "life_table_cell": known.cell[key] if is_here else None,
            "trend_rate": ahead["trend_rate"] if is_here else None,
            "months_observed": year["months"],
            "is_partial": year["months"] < 12 or key[1] not in known.complete,
            "is_by_cell_alone": is_here and known.assets[key] <= 0,
            "has_left": not is_here,
        }
        if is_here and known.wallet[key][0] > 0:
            row["share_of_wallet"] = rounded(Fraction(known.assets[key]) / Fraction(known.wallet[key][0]), 6)
        gone = None if year["avoidable"] is None else ZERO
        for name in ("base_value", "growth_value", "potential_value", *SCENARIOS):
            row[name] = ahead[name] if is_here else gone
        row["horizon_assets_amount"] = row["horizon_captured_amount"] = None
        if is_here and ahead["horizon_assets"] is not None:
            there = Decimal(math.floor(round(ahead["horizon_assets"] * 100, 4))).scaleb(-2)
            row["horizon_assets_amount"] = known.wallet[key][0] if ahead["horizon_assets"] == ahead["wealth"] else there
            if ahead["horizon_captured"] is not None:
                left = float(known.wallet[key][0] - row["horizon_assets_amount"])
                taken = math.floor(round(left * round(ahead["horizon_captured"], 12) * 100, 4))
                row["horizon_captured_amount"] = Decimal(taken).scaleb(-2)
        rows[key] = row
    classify(bank, rows)
    return rows


def yearly(year: dict, kind: str) -> Decimal | None:
    return None if year[kind] is None else rounded(Fraction(year[kind]) * 12 / year["months"], 2)


def classify(bank: Bank, rows: dict) -> None:
    by_month = defaultdict(list)
    for key, row in rows.items():
        row["pyramid_level"] = row["value_class"] = None
        if not row["has_left"] and row["explicit_value"] is not None:
            by_month[key[1]].append(key)
    platinum, gold = bank.parameter("pyramid_platinum_share"), bank.parameter("pyramid_gold_share")
    high = bank.parameter("value_class_high_share")
    for keys in by_month.values():
        count = len(keys)
        best = sorted(keys, key=lambda key: (-rows[key]["explicit_value"], key[0]))
        for place, key in enumerate(best, start=1):
            level = (
                "platinum" if place <= platinum * count else "gold" if place <= (platinum + gold) * count else "iron"
            )
            rows[key]["pyramid_level"] = "lead" if rows[key]["explicit_value"] < 0 else level
        growing = [key for key in keys if rows[key]["lifetime_value"] is not None]
        growing.sort(key=lambda key: (-rows[key]["growth_value"] - rows[key]["potential_value"], key[0]))
        earns, grows = set(best[: int(high * count)]), set(growing[: int(high * count)])
        for key in growing:
            names = ("most_growable", "most_valuable") if key in earns else ("prospect", "ordinary")
            rows[key]["value_class"] = names[key not in grows]


def value_concentration(values: dict, known: Valuation) -> dict[tuple[date, str, int], dict]:
    measured = defaultdict(list)
    for key, row in values.items():
        if not row["has_left"]:
            measured[key[1], "aum"].append(known.assets[key])
            if row["explicit_value"] is not None:
                measured[key[1], "contribution"].append(row["explicit_value"])
    curves = {}
    for (month, measure), amounts in measured.items():
        amounts.sort()
        n, total = len(amounts), sum(amounts, ZERO)

        def share(amount: Decimal, total: Decimal = total) -> Decimal | None:
            return rounded(Fraction(amount) / Fraction(total), 6) if total > 0 else None

        gini = None
        if total > 0:
            # From all pairs, as it is defined: no ordering is used.
            cents_of = np.array([int(amount * 100) for amount in amounts], dtype=np.int64)
            differences = int(np.abs(cents_of[:, None] - cents_of[None, :]).sum())
            gini = Fraction(differences, 2 * n * int(cents_of.sum()))
            if amounts[0] < 0:
                gini = Fraction(differences, 2 * (n - 1) * int(np.abs(cents_of).sum()))
            gini = rounded(gini, 6)
        for percentile in range(101):
            curves[month, measure, percentile] = {
                "customers": n,
                "total_amount": total,
                "cumulative_share": share(sum(amounts[: percentile * n // 100], ZERO)),
                "top20_share": share(sum(amounts[80 * n // 100 :], ZERO)),
                "peak_share": share(sum((amount for amount in amounts if amount > 0), ZERO)),
                "gini": gini,
            }
    return curves


def middle_places(values: list) -> list[float]:
    places, order = [0.0] * len(values), sorted(range(len(values)), key=lambda n: values[n])
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for n in order[start : end + 1]:
            places[n] = (start + end) / 2
        start = end + 1
    return places


def value_backtests(values: dict, known: Valuation, tokens: dict[str, str]) -> dict[tuple, dict]:
    said = {
        "last_year_repeats": {key: row["explicit_value"] for key, row in values.items()},
        "lifetime_value": {key: row["next_year_value"] for key, row in values.items()},
        "components_persist": components_persist(known),
        "markov_chain": markov_chain(known),
    }
    scored = defaultdict(list)
    for (customer, month), row in values.items():
        year = months_after(month, 12)
        if year[-1] in known.complete and not row["has_left"] and row["next_year_value"] is not None:
            realised = sum(
                (known.contributions[customer, then]["contribution_avoidable_amount"] for then in year
                 if (customer, then) in known.contributions), ZERO)  # fmt: skip
            scored[month].append((customer, realised))
    rows = {}
    for month, outcomes in scored.items():
        naive = None
        for model, of in said.items():
            if any(of.get((customer, month)) is None for customer, _ in outcomes):
                continue
            found = sorted(
                ((of[customer, month], tokens[customer], came) for customer, came in outcomes), key=lambda one: one[:2]
            )
            error = mean_error(found)
            naive = naive if naive is not None else error
            places, came = (middle_places([one[n] for one in found]) for n in (0, 2))
            varied = len(set(places)) > 1 and len(set(came)) > 1
            correlation = rounded(Fraction(float(np.corrcoef(places, came)[0, 1])), 6) if varied else None
            larger, size = len(found) % 10, len(found) // 10
            start = 0
            for decile in range(1, 11):
                part = found[start : start + size + (decile <= larger)]
                start += len(part)
                if part:
                    rows[month, 12, model, decile] = {
                        "customers": len(part),
                        "predicted_amount": sum((one[0] for one in part), ZERO),
                        "realised_amount": sum((one[2] for one in part), ZERO),
                        "decile_absolute_error_amount": mean_error(part),
                        "mean_absolute_error_amount": error,
                        "baseline_absolute_error_amount": naive,
                        "rank_correlation": correlation,
                        "is_better_than_baseline": error < naive,
                    }
    return rows


def mean_error(found: list) -> Decimal:
    return rounded(Fraction(sum(abs(said - came) for said, _, came in found)) / len(found), 2)
