"""What every figure is computed with: exchange rates and the calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import thresholds
from expectations.landing.declared import column_of, literal, per_date, refusal, rule, value


def exchange_rates(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{currency, date, rate, base, bounds}: the base's rate is 1; each currency of the policy `<bounds>_<CODE>_min`,
    `_max` has a rate on every date there is, within its bounds; no other currency has one."""
    if missing := {"currency", "date", "rate", "base", "bounds"} - set(written):
        raise refusal(profile, extract, f"exchange_rates lacks {', '.join(sorted(missing))}")
    currency, day, rate = (
        value(column_of(profile, extract, written[part]).name) for part in ("currency", "date", "rate")
    )
    base, prefix = written["base"], written["bounds"]
    ids = (re.fullmatch(rf"{re.escape(prefix)}_([A-Z]+)_(?:min|max)", each) for each in thresholds.known_ids(profile))
    codes = sorted({match.group(1) for match in ids if match} - {base})
    if not codes:
        raise refusal(profile, extract, f"the policy has no currency: no {prefix}_<CODE>_min or _max")
    agreed = ", ".join(literal(code) for code in (base, *codes))
    out = [
        f"({currency} = {literal(code)} and {rate} {operator} {bound})"
        for code in codes
        for operator, bound in thresholds.bounds(profile, f"{prefix}_{code}")
    ]
    groups = per_date(
        extract, f"(checked.business_date, {day})",
        f"count(distinct {currency}) filter ({currency} in ({agreed})) < {len(codes) + 1}", "true",
        f"checked.business_date, {day}",
    )  # fmt: skip
    name = written["rate"]
    rates = (
        ("base_is_one", f"{currency} = {literal(base)} and {rate} <> 1",
         f"The rate of {base} is 1", f"{base} 的汇率为 1", "block", "accuracy"),
        ("within_bounds", f"({' or '.join(out)})",
         f"Each rate is within its currency's policy bounds {prefix}", f"各币种汇率在政策区间 {prefix} 之内",
         "block", "accuracy"),
        ("every_currency", f"(checked.business_date, {day}) in ({groups})",
         "Every currency of the policy has a rate on each date", "政策所列币种每日均有汇率", "block", "completeness"),
        ("agreed_currency", f"{currency} not in ({agreed})",
         "No currency has a rate that the policy does not know", "没有政策之外币种的汇率", "quarantine", "validity"),
    )  # fmt: skip
    for suffix, bad_rows, english, chinese, severity, dimension in rates:
        yield rule(
            extract,
            f"{name}.{suffix}",
            bad_rows,
            name_en=english,
            name_zh=chinese,
            reason="A wrong rate makes every amount in that currency wrong.",
            severity=severity,
            dimension=dimension,
        )


def calendar(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{date, is_business_day}: every day without a gap around the business date, open as the policy's calendar says."""
    if missing := {"date", "is_business_day"} - set(written):
        raise refusal(profile, extract, f"calendar lacks {', '.join(sorted(missing))}")
    name = column_of(profile, extract, written["date"]).name
    day, is_open = value(name), value(column_of(profile, extract, written["is_business_day"]).name)
    unusual = {each for each, opens in profile.calendar_exceptions.items() if opens != (each.weekday() < 5)}
    days = ", ".join(f"date '{each}'" for each in sorted(unusual))
    years = ", ".join(sorted({str(each.year) for each in unusual}))  # the policy says nothing of other years
    wrong = f"{is_open} <> (isodow({day}) < 6)"
    if days:
        wrong = f"{is_open} <> ((isodow({day}) < 6) <> ({day} in ({days}))) and year({day}) in ({years})"
    first, last, count = f"min({day})", f"max({day})", f"count(distinct {day})"
    gaps = per_date(
        extract,
        "checked.business_date",
        f"date_diff('day', {first}, {last}) + 1 <> {count} or checked.business_date not between {first} and {last}",
    )
    for suffix, bad_rows, english, chinese in (
        ("no_gaps", f"checked.business_date in ({gaps})",
         "The calendar has every day, and the business date", "日历连续无缺日且包含业务日期"),
        ("as_policy", wrong,
         "Business days are those of the policy's calendar", "营业日与政策日历一致"),
    ):  # fmt: skip
        yield rule(
            extract,
            f"{name}.{suffix}",
            bad_rows,
            name_en=english,
            name_zh=chinese,
            reason="A day too few or a holiday too many moves every average and every due date.",
            severity="block",
            dimension="completeness" if suffix == "no_gaps" else "accuracy",
        )


PRINCIPLES = {"exchange_rates": exchange_rates, "calendar": calendar}
