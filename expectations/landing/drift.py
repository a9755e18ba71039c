"""Rules over learned bounds (`as_learned`): is a delivery like those of comparable days before it?

One blocking rule per family of statistics: something that earlier deliveries had is missing. One warning: something is
nearly missing, or far more than usual. Bounds and policy: `crm_warehouse.quality.learned`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing.history import compared

FAMILIES = {
    "volume": (("rows",), "rows", "行数"),
    "values": (
        ("filled", "empty", "distinct"),
        "values, blanks and different values per column",
        "各列非空、空值与不同值数量",
    ),
    "codes": (("code",), "rows per code", "各代码行数"),
    "times": (("hour", "hours", "lag"), "rows per hour of the day and by age", "各时段与时滞行数"),
    "amounts": (("sign", "size", "cents"), "numbers by sign, power of ten and decimals", "金额符号、量级与小数分布"),
}
TIMED, NUMBERS = ("date", "timestamp"), ("decimal", "fraction", "quantity", "integer")


def as_learned(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """`true`, or `{warn_only: [families]}` where a bank knows that a family moves without meaning anything."""
    softened = written.get("warn_only", ()) if isinstance(written, dict) else ()
    for family, (statistics, en, zh) in FAMILIES.items():
        if family == "times" and not any(column.type in TIMED for column in extract.columns):
            continue
        if family == "amounts" and not any(column.type in NUMBERS for column in extract.columns):
            continue
        yield _rule(
            extract,
            f"learned.{family}",
            f"No fewer {en} than comparable deliveries had",
            f"{zh}不低于可比交付的学习下限",
            "What earlier deliveries of such days had is missing, or stands under another code.",
            "warn" if family in softened else "block",
            f"verdict = 'outside' and statistic in ({', '.join(map(repr, statistics))})",
        )
    yield _rule(
        extract,
        "learned.near",
        "Every statistic is well within what comparable deliveries had",
        "各项统计均明显处于可比交付的学习区间内",
        "What nearly leaves its bounds is worth a look before it does.",
        "warn",
        "verdict = 'near'",
    )


def _rule(extract: Extract, suffix: str, en: str, zh: str, reason: str, severity: str, condition: str) -> Rule:
    failed = (
        "select business_date, column_name, statistic, code, round(observed, 4) as observed, round(low, 4) as low,"
        f" round(high, 4) as high, n from _learned where source_table = '{extract.table}' and {condition}"
    )
    made = compared(
        extract, suffix, en, zh, reason, severity, "consistency", missing=failed, listing=failed + " order by all"
    )
    # What was never seen before may be the bank's business and not an error: a campaign, a migration, a new product.
    return replace(made, may_be_waived=True)
