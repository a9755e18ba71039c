"""The ladder, the tier of each month and the tier in force, by definition."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .arithmetic import OPEN_END, OPEN_END_AT, ZERO, next_month, number_or_none
from .bank import Bank


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
        ratings[customer, month] += amounts["adb_amount"]
    private = next((rung for rung in ladder.rungs if rung["is_private_banking"] == "true"), None)
    rows = {}
    for key, is_partial in bank.customer_months().items():
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
            "held_tier_code": own["tier_code"],
            "held_tier_rank": own["rank"],
            "next_tier_gap_amount": above["threshold"] - rating if above else None,
            "is_qualified": qualified,
            "is_near_threshold": above is not None and above["threshold"] - near_band(above) <= rating,
            "is_at_risk": rating < own["threshold"] + near_band(own),
            "stability_band": stability,
            "misses_in_grace": 0,
            "is_partial_month": is_partial,
        }
    return rows


def tier_history(bank: Bank, tiers: dict) -> dict[tuple[str, date, datetime], dict]:
    """Openings, ratings from the month after, exits and returns; equal neighbours are one interval."""
    ladder = active_ladder(bank)
    rows = {}
    for customer, spells in bank.spells.items():
        events: list[tuple[date, str | None, str, datetime]] = []  # day, tier, what happened, when known
        for number, spell in enumerate(spells):
            if spell.starts >= bank.first_month:
                what = "returned" if number else "opened"
                events.append((spell.starts, ladder.rungs[0]["tier_code"], what, spell.start_known))
            for month in bank.months:
                in_force = next_month(month)
                is_rated = (customer, month) in tiers and spell.starts < in_force
                if is_rated and spell.runs_on(in_force) and in_force <= bank.business_date:
                    tier = tiers[customer, month]["tier_code"]
                    events.append((in_force, tier, "rated", bank.ratings_known[month]))
            if spell.ends and spell.ends <= bank.business_date:
                events.append((spell.ends, None, "closed", spell.end_known))
        changes = [event for event, before in zip(events, [None, *events], strict=False)
                   if before is None or before[1] != event[1]]  # fmt: skip
        for position, (day, tier, what, known) in enumerate(changes):
            before = changes[position - 1][1] if position else None
            if what == "opened":
                movement, reason = "opened", "account_opened"
            elif what == "returned":
                movement, reason = "won_back", "returned"
            elif what == "closed":
                movement, reason = "exited", "relationship_closed"
            elif before is None:
                movement, reason = "opened", "history_begins"
            elif ladder.rung(tier)["rank"] > ladder.rung(before)["rank"]:
                movement, reason = "up", "rating_reached_threshold"
            else:
                movement, reason = "down", "rating_below_threshold"
            rows[customer, day, known] = {
                "valid_to": changes[position + 1][0] if position + 1 < len(changes) else OPEN_END,
                "known_to": OPEN_END_AT,
                "tier_code": tier,
                "previous_tier_code": before,
                "movement": movement,
                "reason": reason,
                "policy_version": None if tier is None else ladder.version,
            }
    return rows
