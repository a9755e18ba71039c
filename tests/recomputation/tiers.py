"""The ladder, the tier of each month and the tier in force, by definition."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from .arithmetic import OPEN_END, OPEN_END_AT, ZERO, next_month, number_or_none
from .bank import Bank, Spell


@dataclass(frozen=True)
class Ladder:
    version: str
    volatile_to: Decimal | None
    rungs: list[dict]  # lowest first

    def rung(self, code: str) -> dict:
        return next(rung for rung in self.rungs if rung["tier_code"] == code)


def near_band(rung: dict) -> Decimal:
    band = rung["threshold"] * Decimal(rung["near_band_share"])
    return min(band, Decimal(rung["near_band_max_amount"])) if rung["near_band_max_amount"] else band


def active_ladder(bank: Bank) -> Ladder:
    (policy,) = [row for row in bank.policy("tier_policies") if row["is_active"] == "true"]
    rungs = [
        {**row, "threshold": Decimal(row["threshold_amount"]), "rank": int(row["tier_rank"])}
        for row in bank.policy("tier_thresholds")
        if (row["policy_id"], row["policy_version"]) == (policy["policy_id"], policy["policy_version"])
    ]
    rungs.sort(key=lambda rung: rung["rank"])
    return Ladder(policy["policy_version"], number_or_none(policy["volatile_to_amount"]), rungs)


def tiers_monthly(bank: Bank, aum: dict) -> dict[tuple[str, date], dict]:
    ladder = active_ladder(bank)
    ratings = defaultdict(Decimal)
    for (customer, month, _), amounts in aum.items():
        merge = bank.merges.get(customer)
        counted_with = merge.into if merge and merge.holds_on(bank.days(month)[-1]) else customer
        ratings[counted_with, month] += amounts["adb_amount"]
    private = next((rung for rung in ladder.rungs if rung["is_private_banking"] == "true"), None)
    rows = {}
    for key, is_partial in bank.customer_months(bank.tier_spells).items():
        rating = ratings.get(key, ZERO)
        own = [rung for rung in ladder.rungs if rung["threshold"] <= rating][-1]
        above = next((rung for rung in ladder.rungs if rung["rank"] == own["rank"] + 1), None)
        qualified = None if private is None else rating >= private["threshold"]
        stability = None
        if qualified and ladder.volatile_to is not None:
            stability = "volatile" if rating <= ladder.volatile_to else "stable"
        rows[key] = {
            "policy_version": ladder.version,
            "rating_amount": rating,
            "tier_code": own["tier_code"],
            "tier_rank": own["rank"],
            "held_tier_code": None,
            "held_tier_rank": None,
            "next_tier_gap_amount": above["threshold"] - rating if above else None,
            "is_qualified": qualified,
            "is_near_threshold": above is not None and above["threshold"] - near_band(above) <= rating,
            "is_at_risk": rating < own["threshold"] + near_band(own),
            "stability_band": stability,
            "misses_in_grace": 0,
            "is_on_watch": False,
            "is_partial_month": is_partial,
            "is_feed_missing": False,
        }
    _hold(bank, rows)
    return rows


def _hold(bank: Bank, rows: dict[tuple[str, date], dict]) -> None:
    """Without grace, what a month's rating gives is held when the month is over, if the customer still is with the bank."""
    for customer, spells in bank.tier_spells.items():
        for spell in spells:
            held = (None, None)
            for month in bank.months:
                if (customer, month) not in rows or not spell.starts < next_month(month):
                    continue
                row, last = rows[customer, month], next_month(month) - timedelta(days=1)
                if last <= bank.business_date and spell.runs_on(last):
                    held = row["tier_code"], row["tier_rank"]
                if spell.ends is None or month < spell.ends:
                    row["held_tier_code"], row["held_tier_rank"] = held


def tier_changes(bank: Bank, tiers: dict, customer: str, spells: list[Spell]) -> list[tuple]:
    """Openings, ratings from the month after, exits and returns; equal neighbours are one interval.

    Each as (day, tier, what happened, when known).
    """
    events: list[tuple[date, str | None, str, datetime]] = []
    for number, spell in enumerate(spells):
        if spell.starts >= bank.first_month:
            what = "returned" if number else "account_opened"
            events.append((spell.starts, active_ladder(bank).rungs[0]["tier_code"], what, spell.start_known))
        for month in bank.months:
            in_force = next_month(month)
            is_rated = (customer, month) in tiers and spell.starts < in_force
            if is_rated and spell.runs_on(in_force) and in_force <= bank.business_date:
                tier = tiers[customer, month]["tier_code"]
                events.append((in_force, tier, "rated", bank.ratings_known[month]))
        if spell.ends and spell.ends <= bank.business_date:
            merge = bank.merges.get(customer)
            what = "merged" if merge and merge.starts == spell.ends else "relationship_closed"
            events.append((spell.ends, None, what, spell.end_known))
    return [
        event for event, before in zip(events, [None, *events], strict=False) if before is None or before[1] != event[1]
    ]


def tier_history(bank: Bank, tiers: dict) -> dict[tuple[str, date, datetime], dict]:
    """Each interval as it was believed: open until what ends it was known, then as ended. No bank here corrects a closed
    month, so there is one belief."""
    ladder = active_ladder(bank)
    rank = {None: 0} | {rung["tier_code"]: rung["rank"] for rung in ladder.rungs}
    rows = {}
    for customer, spells in bank.tier_spells.items():
        changes = tier_changes(bank, tiers, customer, spells)
        known = list(accumulate((moment for *_, moment in changes), max))
        for position, (day, tier, what, _) in enumerate(changes):
            before = changes[position - 1][1] if position else None
            if tier is None:
                movement = "exited"
            elif before is None:
                movement = "won_back" if position else "opened"
            else:
                movement = "up" if rank[tier] > rank[before] else "down"
            if what == "rated":
                reason = {"opened": "history_begins", "up": "rating_reached_threshold"}.get(
                    movement, "rating_below_threshold"
                )
            else:
                reason = what
            row = {
                "tier_code": tier,
                "previous_tier_code": before,
                "movement": movement,
                "reason": reason,
                "policy_version": None if tier is None else ladder.version,
            }
            is_last = position + 1 == len(changes)
            end_known = OPEN_END_AT if is_last else known[position + 1]
            if known[position] < end_known:
                rows[customer, day, known[position]] = {"valid_to": OPEN_END, "known_to": end_known, **row}
            if not is_last:
                rows[customer, day, end_known] = {"valid_to": changes[position + 1][0], "known_to": OPEN_END_AT, **row}
    return rows
