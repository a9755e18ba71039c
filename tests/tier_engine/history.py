"""Rules 15 to 19: from decisions to intervals, and what was believed about them when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from tier_engine.bank import END_OF_TIME, Bank
from tier_engine.decisions import Decision, Rater, decisions_of
from tier_engine.policy import Ladder
from tier_engine.ratings import rating

FOREVER = datetime(9999, 12, 31)


@dataclass(frozen=True, order=True)
class Interval:
    valid_from: date
    valid_to: date
    tier_code: str | None
    previous_tier_code: str | None
    movement: str
    reason: str
    policy_version: str | None


@dataclass(frozen=True, order=True)
class Row:
    known_from: datetime
    known_to: datetime
    interval: Interval


def in_effect(decisions: Iterable[Decision], as_of: date) -> list[Decision]:
    """Decisions that take effect: while the spell runs, not overtaken by a later one, not after the business date."""
    effective: list[Decision] = []
    for decision in decisions:
        leaves = decision.tier_code is None
        if not leaves and not decision.stay.begin <= decision.effective < decision.stay.end:
            continue
        while effective and effective[-1].effective >= decision.effective:
            effective.pop()
        effective.append(decision)
    return [decision for decision in effective if decision.effective <= as_of]


def _movement(ladder: Ladder, before: Decision | None, decision: Decision) -> str:
    if decision.tier_code is None:
        return "exited"
    if before is None:
        return "opened"
    if before.tier_code is None:
        return "won_back"
    return "up" if ladder.is_higher(decision.tier_code, before.tier_code) else "down"


def intervals(decisions: Iterable[Decision], ladder: Ladder, as_of: date) -> tuple[Interval, ...]:
    """From the first day to the end of time; a decision that changes nothing begins no interval."""
    changes: list[Decision] = []
    for decision in in_effect(decisions, as_of):
        if not changes or changes[-1].tier_code != decision.tier_code:
            changes.append(decision)
    found = []
    for number, decision in enumerate(changes):
        before = changes[number - 1] if number else None
        until = changes[number + 1].effective if number + 1 < len(changes) else END_OF_TIME
        found.append(
            Interval(
                decision.effective,
                until,
                decision.tier_code,
                before.tier_code if before else None,
                _movement(ladder, before, decision),
                decision.reason,
                decision.policy_version,
            )
        )
    # Who left before the first rating was never in a tier: that exit is no interval, but what follows comes after one.
    return tuple(interval for interval in found if interval.tier_code or interval.previous_tier_code)


def remembered(moments: Iterable[datetime], believed: Callable[[datetime], tuple[Interval, ...]]) -> list[Row]:
    """The strict rows: each interval for as long as it was believed without a break, `believed` says what was believed when."""
    rows: list[Row] = []
    since: dict[Interval, datetime] = {}
    for moment in sorted(set(moments)):
        now = set(believed(moment))
        for interval in [interval for interval in since if interval not in now]:
            rows.append(Row(since.pop(interval), moment, interval))
        for interval in now:
            since.setdefault(interval, moment)
    return sorted([*rows, *(Row(moment, FOREVER, interval) for interval, moment in since.items())], key=_by_day)


def _by_day(row: Row) -> tuple:
    return row.interval.valid_from, row.known_from, row.interval.valid_to


def history_of(bank: Bank, ladder: Ladder, customer: str, rate: Rater = rating) -> list[Row]:
    """What was believed at a moment is what the rules make of what had been received until then."""

    def believed(moment: datetime) -> tuple[Interval, ...]:
        return intervals(decisions_of(bank.known_by(moment), ladder, customer, rate), ladder, bank.as_of)

    return remembered(bank.moments(), believed)


def corrected_history(vintages: dict[datetime, Bank], ladder: Ladder, customer: str) -> list[Row]:
    """The same over corrections: `vintages` is all there was, from the moment each correction was received."""
    as_of = vintages[max(vintages)].as_of

    def believed(moment: datetime) -> tuple[Interval, ...]:
        bank = vintages[max(received for received in vintages if received <= moment)]
        return intervals(decisions_of(bank.known_by(moment), ladder, customer), ladder, as_of)

    moments = {moment for bank in vintages.values() for moment in bank.moments()} | set(vintages)
    return remembered((moment for moment in moments if moment >= min(vintages)), believed)
