"""Rules 9 to 14: month after month, what is decided for a customer, and what is held after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tier_engine.bank import END_OF_TIME, Bank, Month
from tier_engine.groups import Stay, stays
from tier_engine.policy import Ladder, Tier, Version
from tier_engine.ratings import months_after, rating

Rater = Callable[[Bank, str, Month, Version], Decimal | None]


@dataclass(frozen=True)
class Decision:
    """`tier_code` None: the customer leaves."""

    effective: date
    tier_code: str | None
    reason: str
    policy_version: str | None
    stay: Stay


@dataclass(frozen=True)
class State:
    """What is held after a month's decision. `misses`: the tiers of the ratings that missed; `since`: their version."""

    held: str | None = None
    misses: tuple[Tier, ...] = ()
    since: Version | None = None
    is_reviewed: bool = True


def decide(state: State, rated: Tier, version: Version, month: Month, stay: Stay) -> tuple[State, Decision | None]:
    """One rating by the version that decides: up, kept or a miss."""
    if state.held is None or rated.rank > version.tier(state.held).rank:
        day = month.last if version.up_lag == 0 else months_after(month.first, version.up_lag)
        reason = "history_begins" if state.held is None else "rating_reached_threshold"
        return State(rated.code), Decision(day, rated.code, reason, version.name, stay)
    if rated.code == state.held:
        return State(state.held), None
    grace = version.tier(state.held).grace
    misses = (*state.misses, rated)
    if len(misses) < max(grace, 1):
        return State(state.held, misses, version), None
    landed = rated if version.landing == "last" else max(misses, key=lambda tier: tier.rank)
    reason = "grace_ended" if grace > 1 else "rating_below_threshold"
    return State(landed.code), Decision(months_after(month.first, 1), landed.code, reason, version.name, stay)


def _month_by_month(
    bank: Bank, ladder: Ladder, customer: str, stay: Stay, rate: Rater
) -> tuple[list[Decision], dict[date, State]]:
    decisions: list[Decision] = []
    states: dict[date, State] = {}
    state = State()
    if stay.begin >= bank.first_day:
        version = ladder.in_force(stay.begin)
        state = State(version.lowest.code)
        decisions.append(Decision(stay.begin, state.held, stay.begins_with, version.name, stay))
    for month in sorted(bank.months, key=lambda month: month.first):
        if not stay.begin <= month.last < stay.end:
            continue
        version = state.since or ladder.in_force(month.first)
        amount = rate(bank, customer, month, version) if version else None
        if amount is not None and month.is_complete and version.reviews(month.first):
            state, decision = decide(state, version.reached(amount), version, month, stay)
            decisions += [decision] if decision else []
            states[month.first] = state
        else:
            states[month.first] = replace(state, is_reviewed=False)
    return decisions, states


def decisions_of(bank: Bank, ladder: Ladder, customer: str, rate: Rater = rating) -> list[Decision]:
    """All decisions of a customer in the order in which they are made, whether they come to take effect or not."""
    made: list[Decision] = []
    for stay in stays(bank, customer):
        decisions, _ = _month_by_month(bank, ladder, customer, stay, rate)
        made += decisions
        if bank.first_day < stay.end < END_OF_TIME:
            made.append(Decision(stay.end, None, stay.ends_with, None, stay))
    return made


def states_of(bank: Bank, ladder: Ladder, customer: str, rate: Rater = rating) -> dict[date, State]:
    """What is held, with its misses, after each month on whose last day the customer was there."""
    states: dict[date, State] = {}
    for stay in stays(bank, customer):
        states |= _month_by_month(bank, ladder, customer, stay, rate)[1]
    return states
