"""In which state each customer is, by definition: every day of every customer is walked."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from .arithmetic import OPEN_END, month_of
from .churn import Leaving, Stay
from .near_thresholds import before


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def lifecycle_history(known: Leaving) -> dict[tuple[str, date], dict]:
    rows = {}
    for customer, stays in known.stays.items():
        last = None
        day = known.bank.first_month
        while day <= known.bank.business_date:
            told = state_on(known, customer, stays, day)
            if told and (last is None or told[0] != rows[last]["state"]):
                previous = rows[last]["state"] if last else None
                state, reason, number = told
                if last:
                    rows[last]["valid_to"] = day
                last = customer, day
                rows[last] = {
                    "valid_to": OPEN_END,
                    "state": state,
                    "previous_state": previous,
                    "reason": reason,
                    "relationship_number": number,
                }
            day += timedelta(days=1)
    return rows


def state_on(known: Leaving, customer: str, stays: list[Stay], day: date) -> tuple[str, str, int | None] | None:
    first = known.bank.first_month
    stay = next((stay for stay in stays if stay.runs_on(day)), None)
    if stay is None:
        ended = [stay for stay in stays if stay.ends and stay.ends <= day]
        if ended:
            return "lost", "closed" if ended[-1].ends >= first else "history_begins", ended[-1].number
        created = known.bank.prospects.get(customer)
        if created is None or created > day:
            return None
        return "prospect", "recorded" if created >= first else "history_begins", None
    opened = max(stay.starts, first)
    is_decided = month_of(day) > opened
    told = month_of(day) if is_decided else opened
    name, state = ("lifecycle_won_back_months", "won_back") if stay.number > 1 else ("lifecycle_onboarding_months", "onboarding")  # fmt: skip
    reason = "history_begins"
    if stay.starts >= first:
        reason = "opened" if stay.number == 1 else "returned"
        reason = "reopened" if stay.starts > stay.relationship_starts else reason
    if told < months_after(stay.relationship_starts, int(known.number(name))):
        return state, reason, stay.number
    if not is_decided:
        return "mature", reason, stay.number
    return (*_decided(known, customer, before(told, 1), stay), stay.number)


def _decided(known: Leaving, customer: str, month: date, stay: Stay) -> tuple[str, str]:
    if known.silent(customer, month, "silent_churn_days"):
        return "dormant", "silent"
    then = before(month, int(known.number("lifecycle_trend_months")))
    now, earlier = known.whole(customer, month), known.whole(customer, then)
    if now is None or earlier is None or not stay.runs_on(then):
        return "mature", "trend_unknown"
    if max(now, earlier) < known.number("lifecycle_trend_min_amount"):
        return "mature", "assets_small"
    if now - earlier <= -known.number("lifecycle_decline_min_share") * earlier:
        return "declining", "assets_fell"
    if now - earlier >= known.number("lifecycle_growth_min_share") * earlier:
        return "growing", "assets_grew"
    return "mature", "assets_steady"
