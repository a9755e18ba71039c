"""When things happened: in which order, on which day, within the delivery, at which hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from typing import Any

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import thresholds
from expectations.landing.declared import column_of, entries, literal, local_day, per_date, refusal, rule, value


def in_order(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """`[a, b, ...]`: moments or numbers that do not fall, where they are there.

    `{columns, severity: warn, block_above: threshold}`: shown one by one, but more than that share of a date blocks.
    """
    for entry in entries(profile, extract, written, "columns"):
        columns = [column_of(profile, extract, name) for name in entry["columns"]]
        if len(columns) < 2:
            raise refusal(profile, extract, f"in_order needs two columns or more, not {entry['columns']}")
        pairs = []
        for first, second in combinations(columns, 2):
            # A day against an instant: the instant counts as its day.
            as_day = {first.type, second.type} == {"date", "timestamp"}
            left, right = (local_day(profile, c) if as_day else value(c.name) for c in (first, second))
            pairs.append(f"{left} > {right}")
        names, wrong = [column.name for column in columns], f"({' or '.join(pairs)})"
        words = {
            "name_en": f"{' <= '.join(names)}",
            "name_zh": f"{' <= '.join(names)}（先后或大小次序正确）",
            "reason": "What ends before it begins, or exceeds its limit, makes every duration and ratio wrong.",
            "dimension": "consistency",
        }
        yield rule(extract, f"{'+'.join(names)}.in_order", wrong, severity=entry["severity"], **words)
        if "block_above" in entry:
            most = thresholds.number(profile, entry["block_above"])
            dates = per_date(extract, "checked.business_date", f"count(*) filter ({wrong}) > {most} * count(*)")
            words["name_en"] += ", but for a share within policy"
            words["name_zh"] += "，例外占比在政策上限内"
            bad_rows = f"{wrong} and checked.business_date in ({dates})"
            yield rule(extract, f"{'+'.join(names)}.mostly_in_order", bad_rows, severity="block", **words)


def not_in_future(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Dates, and the local days of instants, that are not after the business date."""
    for entry in entries(profile, extract, written, "column"):
        column = column_of(profile, extract, entry["column"])
        yield rule(
            extract,
            f"{column.name}.not_in_future",
            f"{local_day(profile, column)} > checked.business_date",
            name_en=f"{column.name} is not after the business date",
            name_zh=f"{column.name} 不晚于业务日期",
            reason="What has not happened yet cannot be counted.",
            severity=entry["severity"],
        )


def not_before(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{column: threshold}: no earlier than the first date that makes sense; an unknown date written as 1900-01-01."""
    for name, threshold_id in written.items():
        column = column_of(profile, extract, name)
        yield rule(
            extract,
            f"{name}.not_before",
            f"{local_day(profile, column)} < {thresholds.day(profile, threshold_id)}",
            name_en=f"{name} is not before the first sensible date",
            name_zh=f"{name} 不早于合理的最早日期",
            reason="A date from before the bank stands for one that is not known.",
            severity="warn",
        )


def of_this_delivery(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Days after the delivery before, up to the business date. The initial delivery holds the history."""
    for entry in entries(profile, extract, written, "column"):
        column = column_of(profile, extract, entry["column"])
        moment = local_day(profile, column)
        yield rule(
            extract,
            f"{column.name}.of_this_delivery",
            f"({moment} > checked.business_date or {moment} <= {_delivery_before(profile)})",
            name_en=f"{column.name} lies after the delivery before and not after the business date",
            name_zh=f"{column.name} 在上一交付日之后且不晚于业务日期",
            reason="An event of another day was counted there already, or is missing there.",
            severity=entry["severity"],
            dimension="timeliness",
        )


def _delivery_before(profile: Profile) -> str:
    """SQL of the delivery before a row's by the bank's calendar; null for the initial one, which holds the history."""
    initial, one = profile.initial_delivery_on, timedelta(days=1)
    near = {day + n * one for day in (initial, *profile.calendar_exceptions) for n in range(1, 15)}
    unusual = []
    for day in sorted(day for day in near if day > initial):
        before = profile.business_dates(initial, day - one)[-1]
        if before != day - one * {0: 3, 6: 2}.get(day.weekday(), 1):
            unusual.append(f"when date '{day}' then date '{before}'")
    day = "checked.business_date"
    usual = f"cast({day} - case isodow({day}) when 1 then 3 when 7 then 2 else 1 end as date)"
    return f"(case {day} when date '{initial}' then null {' '.join(unusual)} else {usual} end)"


def same_day(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{instant: date}: the instant's day in the bank's zone is that date."""
    for moment, day in written.items():
        instant, dated = column_of(profile, extract, moment), column_of(profile, extract, day)
        yield rule(
            extract,
            f"{moment}+{day}.same_day",
            f"{local_day(profile, instant)} <> {value(dated.name)}",
            name_en=f"{moment} falls on {day} in the bank's time zone",
            name_zh=f"{moment}（本地时间）与 {day} 为同一天",
            reason="A time zone mixed up moves the evening to another day, and its money to another month.",
            dimension="consistency",
        )


def hours(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{instant: name}: at most `<name>_share_max` of a date's instants outside `<name>_from_hour`..`<name>_to_hour`."""
    for name, threshold in written.items():
        column = column_of(profile, extract, name)
        zone = literal(profile.timezone)
        hour = f"hour(({value(name)} at time zone 'UTC') at time zone {zone})"
        opens, closes = (thresholds.number(profile, f"{threshold}_{end}_hour") for end in ("from", "to"))
        outside = f"({hour} < {opens} or {hour} >= {closes})"
        share, rows = (
            thresholds.number(profile, f"{threshold}_share_max"),
            thresholds.number(profile, "code_share_rows_min"),
        )
        wrong = per_date(
            extract,
            "checked.business_date",
            f"count({value(column.name)}) >= {rows} and count(*) filter ({outside}) > {share} * count({value(name)})",
        )
        yield rule(
            extract,
            f"{name}.usual_hours",
            f"{outside} and checked.business_date in ({wrong})",
            name_en=f"{name} lies in the usual hours, but for a small share",
            name_zh=f"{name} 绝大部分在正常时段内",
            reason="When most of a day happens at night, local time was taken for UTC or the time was lost.",
            severity="block",
        )


PRINCIPLES = {
    "in_order": in_order,
    "not_in_future": not_in_future,
    "not_before": not_before,
    "of_this_delivery": of_this_delivery,
    "same_day": same_day,
    "hours": hours,
}
