"""Rules that compare a delivery with the one before it, row by row: what may not vanish, change, or come again.

| principle | written in `expect` | what fails |
|---|---|---|
| `keys_stay` | `{key, as_of, where, may_leave_when, begins_on}`, all optional | a key that vanished (warn), a share of them (block), one that comes late (warn); a column whose values become one (block) |
| `never_changes` | columns; or column: column that excuses it when filled before | a value that changed (block) |
| `changes_rarely` | columns | a share of the values changed at once (block) |
| `stays_once_set` | columns | filled before, empty now (block when a share of them; else warn) |
| `comes_once` | `{content, severity}`, optional | an event of an earlier delivery (block); its content under two ids |
| `does_not_rise` | `{amount, key, severity}` | an amount above that of the delivery before |
| `moves_within` | `{column, date, key, most}` | a price or rate that moved by more than the threshold `most` (block); none that moved (warn) |

Shares and numbers are policy: `vanished_keys_max_share`, `changed_values_max_share`, `changed_values_min_rows`,
`variety_lost_rows_min`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import great_expectations.expectations as gxe

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing.declared import literal, rule
from expectations.landing.structure import SEND_AGAIN

IN_WINDOW = "before.business_date >= delivery.window_from and before.business_date < delivery.business_date"
ASK = "Ask the source system whether this is true; correct it there if not."


def keys_stay(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Keys of the delivery before that are not in today's, and keys that should have come earlier."""
    written = written if isinstance(written, dict) else {}
    key = written.get("key", list(extract.key))
    # Positions are rows of a date: those of the delivery's own date are its state, others are history sent with it.
    state = f' and before."{written["as_of"]}" = before.business_date' if "as_of" in written else ""
    dated = f' and today."{written["as_of"]}" = today.business_date' if "as_of" in written else ""
    state += where("before", written.get("where", {}))
    leaves = f"{state} and not ({written['may_leave_when']})" if "may_leave_when" in written else state
    same = " and ".join(f'today."{name}" = before."{name}"' for name in key)
    gone = (
        f"select delivery.business_date, {_names('before', key)} from _deliveries as delivery"
        f" join past.{extract.table} as before on before.business_date = delivery.previous_date"
        f" where delivery.source_table = '{extract.table}'{leaves} and not exists (select 1 from {extract.table} as today"
        f" where today.business_date = delivery.business_date and {same}{dated})"
    )
    there = f"select business_date, count(*) as n from past.{extract.table} as before where true{state} group by 1"
    many = (
        f"select gone.* from ({gone}) as gone join (select business_date, count(*) as n from ({gone}) group by 1) as lost"
        f" using (business_date) join _deliveries as delivery on delivery.source_table = '{extract.table}'"
        f" and delivery.business_date = gone.business_date join ({there}) as before on before.business_date ="
        f" delivery.previous_date where lost.n > before.n * {threshold('vanished_keys_max_share', 'gone.business_date')}"
    )
    named = ", ".join(key)
    if {column.name for column in extract.columns} - {*key, written.get("as_of")}:
        pairs = (
            f"from {extract.table} as today {delivery_of(extract)} join past.{extract.table} as before"
            f" on before.business_date = delivery.previous_date and {same}{dated} where true{state}"
            + where("today", written.get("where", {}))
        )
        yield _variety_stays(extract, key, written.get("as_of"), pairs)
    yield compared(
        extract,
        "keys.stay",
        f"Each {named} of the delivery before is there",
        f"上一日的 {named} 均仍存在",
        "A row that vanishes without having ended takes its history out of every figure.",
        "warn",
        "completeness",
        missing=gone,
    )
    yield compared(
        extract,
        "keys.few_vanish",
        f"No more than the agreed share of {named} vanishes at once",
        f"{named} 消失比例不超过政策上限",
        "Many rows that vanish at once are a file with a part missing.",
        "block",
        "completeness",
        missing=many,
    )
    if "begins_on" in written:
        late = (
            f"select today.business_date, today._source_row from {extract.table} as today {delivery_of(extract)}"
            f' where today."{written["begins_on"]}" <= delivery.previous_date and not exists (select 1 from'
            f" past.{extract.table} as before where before.business_date = delivery.previous_date and {same})"
        )
        yield compared(
            extract,
            "keys.no_late_comer",
            f"No {named} appears that had begun before the delivery before",
            f"不出现早应存在而上一日缺失的 {named}",
            "A key that comes back, or late, was missing from the figures of the days before.",
            "warn",
            "consistency",
            found=late,
        )


def _variety_stays(extract: Extract, key: Sequence[str], as_of: str | None, pairs: str) -> Rule:
    """A column that told rows apart still does: not all rows that were other than the rest become like it at once.

    However few rows there are: what is asked is how many changed together. One row may (a loan is paid, a table of two).
    """
    names = [column.name for column in extract.columns if column.name not in (*key, as_of)]
    counted = ", ".join(
        f"count(distinct coalesce(cast(before.\"{name}\" as varchar), '')) as before{n},"
        f" count(distinct coalesce(cast(today.\"{name}\" as varchar), '')) as today{n},"
        f' count(*) filter (today."{name}" is distinct from before."{name}") as changed{n}'
        for n, name in enumerate(names)
    )
    least = threshold("variety_lost_rows_min", "counted.business_date")
    lost = " union all ".join(
        f"select business_date, {literal(name)} as column_name, changed{n} as rows from counted"
        f" where before{n} > 1 and today{n} = 1 and changed{n} >= {least}"
        for n, name in enumerate(names)
    )
    found = f"with counted as (select today.business_date, {counted} {pairs} group by 1) {lost}"
    return compared(
        extract,
        "variety.stays",
        "No column that told rows apart has become one value",
        "原本有不同取值的列未变为单一取值",
        "Values that all become one at once were overwritten by a default.",
        "block",
        "accuracy",
        missing=found,
        listing=f"select * from ({found}) order by all",
    )


def never_changes(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Attributes that a row keeps for life; a key under which they change has been given to something else."""
    columns = written if isinstance(written, dict) else dict.fromkeys(written)
    for name, excuse in columns.items():
        excused = f' and before."{excuse}" is null' if excuse else ""
        changed = f'before."{name}" is not null and today."{name}" is distinct from before."{name}"{excused}'
        yield compared(
            extract,
            f"{name}.unchanged",
            f"{name} is the one of the delivery before",
            f"{name} 与上一日一致",
            "What never changes has changed: the key now means something else, or the column is wrong.",
            "block",
            "consistency",
            found=_pairs(extract, changed),
        )


def changes_rarely(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Attributes of which a few change in a day, never a share of them."""
    for name in written:
        changed = _pairs(extract, f'today."{name}" is distinct from before."{name}"')
        made = compared(
            extract,
            f"{name}.few_change",
            f"No more than the agreed share of {name} changes at once",
            f"{name} 单日变化比例不超过政策上限",
            "Values that change in bulk were overwritten, shifted or defaulted at the source.",
            "block",
            "consistency",
            found=_many(extract, changed),
        )
        yield replace(made, may_be_waived=True)  # branches are merged, and campaigns end, on one day


def stays_once_set(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Dates of what has ended: they do not become empty again, but for the few that come back."""
    for name in written:
        emptied = _pairs(extract, f'before."{name}" is not null and today."{name}" is null')
        for suffix, severity, found, share in (
            ("stays", "warn", emptied, ""),
            ("few_emptied", "block", _many(extract, emptied, f'before."{name}" is not null'), " in bulk"),
        ):
            yield compared(
                extract,
                f"{name}.{suffix}",
                f"{name} is not emptied{share} once it is filled",
                f"{name} 填写后不再{'批量' if share else ''}变空",
                "What has ended does not begin again without a word.",
                severity,
                "consistency",
                found=found,
            )


def comes_once(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """An event has one id and comes in one delivery."""
    same = " and ".join(f'today."{name}" = before."{name}"' for name in extract.key)
    again = (
        f"select today.business_date, today._source_row from {extract.table} as today {delivery_of(extract)}"
        f" join past.{extract.table} as before on {same} and {IN_WINDOW}"
    )
    yield compared(
        extract,
        "key.not_sent_before",
        f"No {' + '.join(extract.key)} was in an earlier delivery",
        f"{'、'.join(extract.key)} 未在此前交付中出现",
        "An event that is sent on two days is counted twice, in money too.",
        "block",
        "uniqueness",
        found=again,
    )
    content = written.get("content") if isinstance(written, dict) else None
    if content:
        said = ", ".join(f'"{name}"' for name in content)
        alike = " and ".join(f'today."{name}" is not distinct from before."{name}"' for name in content)
        twice = (
            f"select business_date, _source_row from {extract.table} where (business_date, {said}) in (select"
            f" (business_date, {said}) from {extract.table} group by business_date, {said} having count(*) > 1)"
            f" union select today.business_date, today._source_row from {extract.table} as today {delivery_of(extract)}"
            f" join past.{extract.table} as before on {alike} and {IN_WINDOW}"
        )
        yield compared(
            extract,
            "content.once",
            f"No two ids have the same {', '.join(content)}",
            f"不存在内容相同而编号不同的记录（{'、'.join(content)}）",
            "The same event under a second id was posted twice.",
            written.get("severity", "warn"),
            "uniqueness",
            found=twice,
        )


def does_not_rise(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """What is owed on a loan only falls: a new loan has a key of its own."""
    amount = written["amount"]
    key = written.get("key", list(extract.key))
    yield compared(
        extract,
        f"{amount}.does_not_rise",
        f"{amount} is not above that of the delivery before",
        f"{amount} 不高于上一日",
        "More is owed without a new contract.",
        written.get("severity", "warn"),
        "accuracy",
        found=_pairs(extract, f'today."{amount}" > before."{amount}"', key),
    )


def grows_within_year(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Income and cost of the year so far only grow until the year ends; `lines` names which rows are of that kind."""
    amount, on = written["amount"], written["date"]
    (line, codes), *_ = written["lines"].items()
    listed = ", ".join(f"'{code}'" for code in codes)
    fell = (
        f'today."{line}" in ({listed}) and today."{on}" = today.business_date and before."{on}" = before.business_date'
        f' and year(today."{on}") = year(before."{on}") and today."{amount}" < before."{amount}"'
    )
    yield compared(
        extract,
        f"{amount}.grows_within_year",
        f"{amount} of the year so far is not below that of the delivery before",
        f"年内累计 {amount} 不低于上一日",
        "Income or cost of the year that shrinks was damaged, or booked back without a word.",
        written.get("severity", "warn"),
        "accuracy",
        found=_pairs(extract, fell, written["key"]),
    )


def moves_within(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """A price or rate of today lies near that of the delivery before: a shifted point or an inverted pair does not."""
    column, on, most = written["column"], written["date"], written["most"]
    today, before = f'today."{column}"', f'before."{column}"'
    of_the_day = f'today."{on}" = today.business_date and before."{on}" = before.business_date'
    far = f"{of_the_day} and abs({today} - {before}) > abs({before}) * {threshold(most, 'today.business_date')}"
    yield compared(
        extract,
        f"{column}.moves_within",
        f"{column} lies near that of the delivery before",
        f"{column} 与上一日相比变动在政策范围内",
        "A price or rate that jumps was shifted, inverted or quoted in another unit.",
        "block",
        "accuracy",
        found=_pairs(extract, far, written["key"]),
    )
    rows = _pairs(extract, of_the_day, written["key"], f"{today} = {before} as is_same")
    yield compared(
        extract,
        f"{column}.moves",
        f"Not every {column} is that of the delivery before",
        f"{column} 并非全部与上一日相同",
        "Prices and rates that all stand still are yesterday's, sent again. A day on which markets are closed looks the same.",
        "warn",
        "timeliness",
        missing=f"select business_date from ({rows}) group by 1 having bool_and(is_same)",
    )


def compared(
    extract: Extract,
    suffix: str,
    name_en: str,
    name_zh: str,
    reason: str,
    severity: str,
    dimension: str,
    found: str | None = None,
    missing: str | None = None,
    listing: str | None = None,
) -> Rule:
    """A rule over several deliveries: `found` is a query of (business_date, _source_row), `missing` of what is not there."""
    bad_rows = f"(checked.business_date, checked._source_row) in (select (business_date, _source_row) from ({found}))"
    query = f"select 1 as bad from (select * from {{batch}}) as checked where {bad_rows}"
    if missing:
        there = "cross join (select count(*) from (select * from {batch})) as checked"
        query = f"select 1 as bad from ({missing}) as gone {there}"
    made = rule(
        extract,
        suffix,
        bad_rows,
        name_en=name_en,
        name_zh=name_zh,
        reason=reason,
        severity=severity,
        dimension=dimension,
    )
    expectation = gxe.UnexpectedRowsExpectation(description=f"{extract.table}: {name_en}", unexpected_rows_query=query)
    return replace(
        made,
        on_failure=SEND_AGAIN if severity == "block" else ASK,
        expectation=expectation,
        bad_rows=bad_rows if found else None,
        missing=missing,
        listing=listing,
    )


def _pairs(extract: Extract, condition: str, key: Sequence[str] | None = None, also: str | None = None) -> str:
    """Rows of today for which `condition` holds of them (`today`) and the row of their key in the delivery before; with what is `also` asked of the two."""
    same = " and ".join(f'today."{name}" = before."{name}"' for name in key or extract.key)
    return (
        f"select today.business_date, today._source_row{f', {also}' if also else ''}"
        f" from {extract.table} as today {delivery_of(extract)}"
        f" join past.{extract.table} as before on before.business_date = delivery.previous_date and {same}"
        f" where {condition}"
    )


def _many(extract: Extract, changed: str, among: str = "true") -> str:
    """The rows of `changed`, of those dates on which they are more than policy allows of the rows `among`."""
    held = f"select business_date, count(*) as n from ({_pairs(extract, among)}) group by 1"
    return (
        f"select changed.* from ({changed}) as changed join (select business_date, count(*) as n from ({changed})"
        f" group by 1) as total using (business_date) join ({held}) as held using (business_date)"
        f" where total.n >= {threshold('changed_values_min_rows', 'changed.business_date')}"
        f" and total.n > held.n * {threshold('changed_values_max_share', 'changed.business_date')}"
    )


def delivery_of(extract: Extract) -> str:
    return (
        f"join _deliveries as delivery on delivery.source_table = '{extract.table}'"
        " and delivery.business_date = today.business_date"
    )


def threshold(name: str, day: str) -> str:
    return f"(select value from _thresholds as t where t.threshold_id = '{name}' and t.business_date = {day})"


def where(alias: str, wanted: dict[str, str]) -> str:
    """`and` conditions: columns that must have a value."""
    return "".join(f" and {alias}.\"{name}\" = '{value}'" for name, value in wanted.items())


def _names(alias: str, names: Sequence[str]) -> str:
    return ", ".join(f'{alias}."{name}"' for name in names)
