"""Customers near thresholds, how likely they cross, and whether that proved right, by definition."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from .arithmetic import OPEN_END, ZERO, converted, next_month, number_or_none, rounded
from .bank import Bank
from .tier_movements import A_DAY, assets_at_month_end, complete_months
from .tiers import active_ladder, near_band


def months_after(month: date, count: int) -> list[date]:
    found = []
    for _ in range(count):
        month = next_month(month)
        found.append(month)
    return found


def before(month: date, count: int = 1) -> date:
    for _ in range(count):
        month = (month - A_DAY).replace(day=1)
    return month


def last_day(bank: Bank, month: date) -> date:
    return min(next_month(month) - A_DAY, bank.business_date)


def near_rows(bank: Bank, tiers: dict) -> dict[tuple[str, date, str], dict]:
    """Who is near which threshold, and whether the customer crossed it within the horizon."""
    ladder, horizon = active_ladder(bank), int(bank.parameter("crossing_horizon_months"))
    known = complete_months(bank)
    rows = {}
    for (customer, month), tier in tiers.items():
        if not any(spell.runs_on(last_day(bank, month)) for spell in bank.spells[customer]):
            continue
        rating, own = tier["rating_amount"], ladder.rung(tier["tier_code"])
        above = next((rung for rung in ladder.rungs if rung["rank"] == own["rank"] + 1), None)
        later = months_after(month, horizon)
        for side, rung in (("below", above), ("above", own)):
            if rung is None:
                continue
            gap, band = abs(rung["threshold"] - rating), near_band(rung)
            if (gap > band) if side == "below" else (gap >= band):
                continue
            tenth = next(number for number in range(1, 11) if number == 10 or gap * 10 < band * number)
            reached = [
                (customer, then) in tiers and tiers[customer, then]["rating_amount"] >= rung["threshold"]
                for then in later
            ]
            crossed = any(reached) if side == "below" else not all(reached)
            rows[customer, month, side] = {
                "policy_version": ladder.version,
                "tier_code": own["tier_code"],
                "threshold_tier_code": rung["tier_code"],
                "threshold_amount": rung["threshold"],
                "rating_amount": rating,
                "gap_amount": gap,
                "gap_share": rounded(Fraction(gap) / Fraction(rung["threshold"]), 6),
                "gap_tenth": tenth,
                "has_crossed": crossed if later[-1] in known else None,
                "expected_aum_amount": rung["threshold"] if side == "below" else rating,
                "is_partial_month": tier["is_partial_month"],
            }
    return rows


class Learned:
    """What outcomes known at a month's end say of a side and a tenth."""

    def __init__(self, bank: Bank, rows: dict) -> None:
        self.complete = set(complete_months(bank))
        self.horizon = int(bank.parameter("crossing_horizon_months"))
        self.prior = int(bank.parameter("propensity_prior_customers"))
        self.least = int(bank.parameter("propensity_min_customers"))
        self.outcomes = Counter()
        for (_, month, side), row in rows.items():
            if row["has_crossed"] is not None and not row["is_partial_month"]:
                self.outcomes[month, side, row["gap_tenth"], row["has_crossed"]] += 1

    def at(self, month: date, side: str, tenth: int) -> tuple[Decimal | None, Decimal | None, int | None]:
        """Propensity, base rate, and from how many of the tenth."""
        known = month if month in self.complete else before(month)
        n = crossed = total = total_crossed = 0
        for (then, of_side, of_tenth, has_crossed), count in self.outcomes.items():
            if of_side != side or months_after(then, self.horizon)[-1] > known:
                continue
            total, total_crossed = total + count, total_crossed + count * has_crossed
            if of_tenth == tenth:
                n, crossed = n + count, crossed + count * has_crossed
        if total < self.least:
            return None, None, None
        rate = Fraction(total_crossed, total)
        return rounded((crossed + self.prior * rate) / (n + self.prior), 6), rounded(rate, 6), n


def maturing(bank: Bank) -> dict[tuple[str, date], Decimal] | None:
    """Term deposits that fall due within the window after a month's end, renewed for their own term until then."""
    terms = {
        product: int(days)
        for product, row in bank.products.items()
        if row["counts_in_aum"] and (days := number_or_none(row.get("term_days"))) and days > 0
    }
    if not terms:
        return None
    window = int(bank.parameter("maturity_window_days"))
    sums = defaultdict(Decimal)
    for position in bank.positions:
        if position.product_id not in terms or position.account_id is None:
            continue
        opened_on, term = bank.accounts[position.account_id].opened_on, terms[position.product_id]
        for month in bank.months:
            end = last_day(bank, month)
            amount = position.day_ends.on(end)
            if not amount or end < opened_on:
                continue
            due = opened_on
            while due <= end:
                due += timedelta(days=term)
            if (due - end).days <= window:
                for customer, share in position.holders.items():
                    sums[customer, month] += converted(amount, bank.rates[position.currency].on(end)) * share
    return {key: rounded(amount, 2) for key, amount in sums.items()}


def near_threshold_customers(bank: Bank, aum: dict, tiers: dict) -> dict[tuple[str, date, str], dict]:
    rows, assets = near_rows(bank, tiers), assets_at_month_end(aum)
    learned, due = Learned(bank, rows), maturing(bank)
    span = int(bank.parameter("assets_change_months"))
    first_salary = min((month for _, month in bank.payrolls), default=OPEN_END)
    finished = {}
    for (customer, month, side), row in rows.items():
        propensity, _, count = learned.at(month, side, row["gap_tenth"])
        earlier = before(month, span)
        finished[customer, month, side] = row | {
            "crossing_propensity": propensity,
            "learned_from_customers": count,
            "weighted_aum_amount": None if propensity is None else rounded(propensity * row["expected_aum_amount"], 2),
            "maturing_90d_amount": None if due is None else due.get((customer, month), ZERO),
            "assets_change_3m_amount": assets.get((customer, month), ZERO) - assets.get((customer, earlier), ZERO)
            if earlier >= bank.first_month
            else None,
            "payroll_amount": bank.payrolls.get((customer, month), ZERO) if month >= first_salary else None,
            "primary_rm_id": bank.manager_on(customer, last_day(bank, month)),
        }
    return finished


def propensity_backtests(bank: Bank, tiers: dict) -> dict[tuple[date, str, int], dict]:
    rows, bins = near_rows(bank, tiers), int(bank.parameter("calibration_bins"))
    learned = Learned(bank, rows)
    cells = defaultdict(list)
    for (_, month, side), row in rows.items():
        propensity, rate, _ = learned.at(month, side, row["gap_tenth"])
        if propensity is not None and row["has_crossed"] is not None and not row["is_partial_month"]:
            for model, said in (("gap_tenth", propensity), ("base_rate", rate)):
                cells[month, model, min(bins, int(said * bins) + 1)].append((said, int(row["has_crossed"])))

    def brier(pairs: list) -> Decimal:
        return rounded(Fraction(sum((said - happened) ** 2 for said, happened in pairs)) / len(pairs), 6)

    whole = defaultdict(list)
    for (month, model, _), pairs in cells.items():
        whole[month, model] += pairs
    return {
        (month, model, number): {
            "customers": len(pairs),
            "predicted_rate": rounded(Fraction(sum(said for said, _ in pairs)) / len(pairs), 6),
            "observed_rate": rounded(Fraction(sum(happened for _, happened in pairs), len(pairs)), 6),
            "bin_brier_score": brier(pairs),
            "model_brier_score": brier(whole[month, model]),
            "baseline_brier_score": brier(whole[month, "base_rate"]),
            "is_better_than_baseline": brier(whole[month, model]) < brier(whole[month, "base_rate"]),
        }
        for (month, model, number), pairs in cells.items()
    }
