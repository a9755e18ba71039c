"""Rules about a delivery as such: its number, its time, whether it was sent before, and its control totals.

`arrives: {changes_daily: true}` declares an extract that is never the same on two days but for its dates. Of events and
changes that is taken for granted; where it is not so (loans, of which nothing moves on most days), `false` says so, and
`mostly` warns only (rates, on days when markets are closed).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing.history import compared

_AT = "select business_date, batch from _deliveries as delivery where source_table = '{table}' and {condition}"


def arrives(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """In order, in time, once, and adding up to what was said."""
    declared = written if isinstance(written, dict) else {}
    changes_daily = declared.get("changes_daily", extract.delivery != "full")
    yield _of_delivery(
        extract,
        "delivery.first",
        "The delivery is the first of its date",
        "为当日首次交付",
        "A corrected delivery replaces what was published of this date.",
        "warn",
        "delivery.batch > 1",
        "consistency",
    )
    yield _of_delivery(
        extract,
        "delivery.in_sequence",
        "No sequence number is skipped",
        "交付序号连续",
        "A number that never came may be a delivery that was lost.",
        "warn",
        "delivery.skips_sequence",
        "completeness",
    )
    yield _of_delivery(
        extract,
        "delivery.corrects_something",
        "A corrected delivery differs from the one before",
        "更正交付与前次内容不同",
        "The same content under another number or name corrects nothing.",
        "warn",
        "delivery.same_as_batch is not null",
        "uniqueness",
    )
    yield _of_delivery(
        extract,
        "delivery.alone",
        "No file lies beside the delivery that nobody asked for",
        "交付旁没有未约定的文件",
        "A file under a name that was not agreed is read by nobody: it may be a second delivery, or a correction.",
        "warn",
        "delivery.beside > 0",
        "uniqueness",
    )
    yield _of_delivery(
        extract,
        "delivery.in_time",
        "The delivery was sent before the agreed cut-off",
        "在约定截止时间前发送",
        "What is late today is missing tomorrow.",
        "warn",
        "delivery.sent_at > delivery.cut_off_at",
        "timeliness",
    )
    yield _of_delivery(
        extract,
        "delivery.after_its_day",
        "The delivery was sent after its business day had ended",
        "在业务日结束后发送",
        "What was sent before the day ended cannot hold the whole day.",
        "block" if changes_daily else "warn",
        "delivery.sent_at < delivery.day_ended_at",
        "timeliness",
    )
    if changes_daily:
        yield _of_delivery(
            extract,
            "delivery.not_sent_before",
            "The content is not that of an earlier delivery under another date",
            "内容不是此前交付改日期后重发",
            "An old file with a new date hides that today's never came.",
            "warn" if changes_daily == "mostly" else "block",
            "delivery.same_as_date is not null",
            "timeliness",
        )
    yield from _totals_hold(extract)


def _totals_hold(extract: Extract) -> Iterator[Rule]:
    """Every control total, once more, from the typed rows."""
    for column in extract.columns:
        if not column.control_total:
            continue
        off = (
            "select delivery.business_date, delivery.batch from _totals as delivery left join (select business_date,"
            f' sum("{column.name}") as total from {extract.table} group by 1) as typed using (business_date)'
            f" where delivery.source_table = '{extract.table}' and delivery.column_name = '{column.name}'"
            " and coalesce(typed.total, 0) <> delivery.total"
        )
        yield compared(
            extract,
            f"{column.name}.total_after_typing",
            f"{column.name} as typed adds up to the control total",
            f"{column.name} 解析后合计与控制总额一致",
            "A value that lost something while it was read is a wrong value.",
            "block",
            "accuracy",
            missing=off,
        )


def _of_delivery(
    extract: Extract,
    suffix: str,
    name_en: str,
    name_zh: str,
    reason: str,
    severity: str,
    condition: str,
    dimension: str,
) -> Rule:
    failed = _AT.format(table=extract.table, condition=condition)
    return compared(
        extract, suffix, name_en, name_zh, reason, severity, dimension, missing=failed, listing=failed + " order by all"
    )
