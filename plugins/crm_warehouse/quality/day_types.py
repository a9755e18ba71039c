"""What kind of day a business date is: a Monday brings three days, a month-end other amounts, a festival other hours."""

from __future__ import annotations

from datetime import date, timedelta

from crm_warehouse.profile import Profile

LONG_CLOSURE = 7  # calendar days without a business day: a festival, whatever its name
LAST_DUE_DAY = 28  # of a month: loans and cards fall due on days that every month has
BEFORE_FESTIVAL, AFTER_FESTIVAL = 10, 3  # calendar days around it on which people do other things than usual

NAMES = {
    "ordinary": "平日",
    "after closed days": "休息日后首日",
    "month-end": "月末",
    "after the last due day": "最后还款日之后",
    "quarter-end": "季末",
    "festival": "长假前后",
    "after a long closure": "长假后首日",
    "any": "不分日型",
}


def is_open(profile: Profile, day: date) -> bool:
    return profile.calendar_exceptions.get(day, day.weekday() < 5)


def day_type(profile: Profile, day: date) -> str:
    """The first that holds: after a long closure, festival, quarter-end, month-end, after the last due day, after closed days,
    ordinary."""
    if not any(is_open(profile, day - timedelta(days=n)) for n in range(1, LONG_CLOSURE + 1)):
        return "after a long closure"
    if _is_near_long_closure(profile, day):
        return "festival"
    following = next(d for d in (day + timedelta(days=n) for n in range(1, 32)) if is_open(profile, d))
    if following.month != day.month:
        return "quarter-end" if day.month % 3 == 0 else "month-end"
    if day.day > LAST_DUE_DAY:
        return "after the last due day"
    return "ordinary" if is_open(profile, day - timedelta(days=1)) else "after closed days"


def _is_near_long_closure(profile: Profile, day: date) -> bool:
    """Whether a closure of a week or more begins soon after `day` or ended shortly before it."""
    closed, ended = 0, None
    for offset in range(-AFTER_FESTIVAL - LONG_CLOSURE, BEFORE_FESTIVAL + LONG_CLOSURE + 1):
        at = day + timedelta(days=offset)
        if is_open(profile, at):
            closed = 0
            continue
        closed += 1
        begun = offset - closed + 1
        if closed >= LONG_CLOSURE:
            ended = offset
            if 0 < begun <= BEFORE_FESTIVAL or -AFTER_FESTIVAL <= ended <= 0:
                return True
    return False
