"""Flows, migration and growth of tiers, by definition: customer by customer, month by month."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from .arithmetic import OPEN_END_AT, ZERO, next_month, rounded
from .bank import Bank
from .tiers import active_ladder

A_DAY = timedelta(days=1)


def complete_months(bank: Bank) -> list[date]:
    return [month for month in bank.months if next_month(month) - A_DAY <= bank.business_date]


def assets_at_month_end(aum: dict) -> dict[tuple[str, date], Decimal]:
    assets = defaultdict(Decimal)
    for (customer, month, _), amounts in aum.items():
        assets[customer, month] += amounts["eop_amount"]
    return assets


class Chains:
    """What is believed now of each customer's tiers: (first day, day after the last, tier, movement, reason)."""

    def __init__(self, history: dict) -> None:
        self.of_customer = defaultdict(list)
        for (customer, valid_from, _), row in sorted(history.items(), key=lambda item: item[0][:2]):
            if row["known_to"] == OPEN_END_AT:
                self.of_customer[customer].append(
                    (valid_from, row["valid_to"], row["tier_code"], row["movement"], row["reason"])
                )

    def on(self, customer: str, day: date) -> tuple | None:
        return next((part for part in self.of_customer[customer] if part[0] <= day < part[1]), None)

    def tier_on(self, customer: str, day: date) -> str | None:
        part = self.on(customer, day)
        return part and part[2]


def tier_flows(bank: Bank, aum: dict, history: dict) -> dict[tuple[date, str], dict]:
    ladder, chains, assets = active_ladder(bank), Chains(history), assets_at_month_end(aum)
    tiers = {rung["tier_code"] for rung in ladder.rungs}
    names = ("opening", "opened", "up_in", "up_out", "down_in", "down_out", "won_back", "exited", "closing")
    rows = {}
    before = None
    for month in complete_months(bank):
        cells = {tier: Counter() for tier in tiers}
        for customer, parts in chains.of_customer.items():
            value, now = assets.get((customer, before), ZERO), assets.get((customer, month), ZERO)

            def enter(tier: str, name: str, amount: Decimal, cells=cells) -> None:
                cells[tier][name] += 1
                cells[tier][f"{name}_amount"] += amount

            if tier := chains.tier_on(customer, month - A_DAY):
                enter(tier, "opening", value)
            if tier := chains.tier_on(customer, next_month(month) - A_DAY):
                enter(tier, "closing", now)
                cells[tier]["retained_change_amount"] += now - value
            for number, (valid_from, _, tier, movement, reason) in enumerate(parts):
                if not month <= valid_from < next_month(month):
                    continue
                left = parts[number - 1][2] if number else None
                if movement in ("up", "down"):
                    enter(tier, f"{movement}_in", value)
                    enter(left, f"{movement}_out", value)
                else:
                    enter(left if movement == "exited" else tier, movement, value)
                    cells[tier or left]["opened_history_begins"] += reason == "history_begins"
        for tier, cell in cells.items():
            row = {"policy_version": ladder.version, "opened_history_begins": cell["opened_history_begins"]}
            for name in names:
                row[f"{name}_count" if name in ("opening", "closing") else name] = cell[name]
                row[f"{name}_amount"] = cell[f"{name}_amount"]
            rows[month, tier] = row | {"retained_change_amount": cell["retained_change_amount"]}
        before = month
    return rows


def tier_migration(bank: Bank, tiers: dict, history: dict) -> dict[tuple, dict]:
    """The state of a month is the tier held after its decision; who is gone at the month's end has none."""
    chains, months = Chains(history), complete_months(bank)

    def state(customer: str, month: date) -> tuple[str, int] | None:
        part, row = chains.on(customer, next_month(month) - A_DAY), tiers.get((customer, month))
        if row is None or (part and part[3] == "exited"):
            return None
        return row["held_tier_code"], row["misses_in_grace"]

    rows = {}
    for before, month in zip(months, months[1:], strict=False):
        steps = Counter()
        for customer in bank.spells:
            came, went = state(customer, before), state(customer, month)
            if came or went:
                steps[(*(came or ("opened", 0)), went[0] if went else "exited")] += 1
        states = defaultdict(list)
        for (tier, grace, to), count in sorted(steps.items()):
            states[tier, grace].append((to, count))
        for (tier, grace), targets in states.items():
            total = sum(count for _, count in targets)
            stayed = dict(targets).get(tier, 0)
            half_life = None
            if 0 < stayed < total:
                half_life = rounded(Fraction(math.log(0.5) / math.log(stayed / total)), 6)
            running = 0
            for to, count in targets:
                low, high = (rounded(Fraction(part, total), 6) for part in (running, running + count))
                running += count
                rows[month, tier, grace, to] = {
                    "customers": count,
                    "from_customers": total,
                    "probability": high - low,
                    "half_life_months": half_life,
                }
    return rows


def growth_mismatch(bank: Bank, aum: dict, history: dict) -> dict[tuple[date, str], dict]:
    ladder, chains, assets = active_ladder(bank), Chains(history), assets_at_month_end(aum)
    rows = {}
    before = None
    for month in complete_months(bank):
        opening, closing = defaultdict(set), defaultdict(set)
        for customer in chains.of_customer:
            opening[chains.tier_on(customer, month - A_DAY)].add(customer)
            closing[chains.tier_on(customer, next_month(month) - A_DAY)].add(customer)

        def worth(customers: set[str], at: date | None) -> Decimal:
            return sum((assets.get((customer, at), ZERO) for customer in customers), ZERO)

        for tier in (rung["tier_code"] for rung in ladder.rungs):
            was, now = opening[tier], closing[tier]
            n, m, a, b = len(was), len(now), worth(was, before), worth(now, month)
            counts = rounded(Fraction(math.log(m / n)), 6) if n and m else None
            amounts = rounded(Fraction(math.log(float(b) / float(a))), 6) if n and m and a > 0 and b > 0 else None
            rows[month, tier] = {
                "policy_version": ladder.version,
                "opening_count": n,
                "closing_count": m,
                "opening_amount": a,
                "closing_amount": b,
                "count_growth": counts,
                "average_growth": None if amounts is None else amounts - counts,
                "aum_growth": amounts,
                "entrants": len(now - was),
                "leavers": len(was - now),
                "stayers": len(was & now),
                "entrants_amount": worth(now - was, month),
                "leavers_amount": worth(was - now, before),
                "stayers_change_amount": worth(was & now, month) - worth(was & now, before),
            }
        before = month
    return rows
