"""What the tables of one date say of each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import thresholds
from expectations.landing.declared import (
    column_of,
    condition,
    entries,
    extract_of,
    in_words,
    per_date,
    rule,
    value,
)

FOR_EVER = "date '9999-12-31'"


def _joined(profile: Profile, extract: Extract, other: Extract, by: dict[str, str]) -> str:
    """SQL that finds a row's siblings of its own date: {column here: column there}."""
    pairs = []
    for here, there in by.items():
        column_of(profile, extract, here), column_of(profile, other, there)
        pairs.append(f"{value(there, 'sibling')} = {value(here)}")
    return " and ".join(["sibling.business_date = checked.business_date", *pairs])


def found(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{column: source.extract.column}: the value stands there on the same date, however that extract is delivered."""
    for name, place in written.items():
        other_name, _, there = place.rpartition(".")
        other = extract_of(profile, extract, other_name)
        joined = _joined(profile, extract, other, {name: there})
        yield rule(
            extract,
            f"{name}+{other.table}.found",
            f"{value(name)} is not null and not exists (select 1 from {other.table} as sibling where {joined})",
            name_en=f"{name} stands in {other_name} of the date",
            name_zh=f"{name} 在当日 {other_name} 中存在",
            reason="What is missing there makes every amount that needs it unknown.",
            dimension="consistency",
        )


def agrees(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{with, by, [if], columns | values | order | empty}: what the sibling found by a key says of the row.

    `columns` {here: there} are equal; `values` {there: codes} are allowed; `order` [[here, there]]: here is not before
    there; `empty` [there] are not filled. No sibling found is another rule's matter (`references`, `found`).
    """
    for entry in entries(profile, extract, written, "with"):
        other = extract_of(profile, extract, entry["with"])
        joined = _joined(profile, extract, other, entry["by"])
        where = condition(profile, extract, entry.get("if", {}))
        where_en, where_zh = in_words(entry.get("if", {}))
        for name, wrong, english, chinese in _disagreements(profile, extract, other, entry):
            yield rule(
                extract,
                f"{name}+{other.table}.agrees",
                f"{where} and exists (select 1 from {other.table} as sibling where {joined} and {wrong})",
                name_en=english + (f" where {where_en}" if where_en else ""),
                name_zh=(f"{where_zh} 时 " if where_zh else "") + chinese,
                reason="Two tables of one date that contradict each other: one of them is of another day or shifted.",
                severity=entry["severity"],
                dimension="consistency",
            )


def _disagreements(
    profile: Profile, extract: Extract, other: Extract, entry: dict
) -> Iterator[tuple[str, str, str, str]]:
    """Name, SQL of what is wrong, and the rule's name in both languages, for each thing that must agree."""
    shown = f"{other.source}.{other.name}"
    for here, there in entry.get("columns", {}).items():
        column_of(profile, extract, here), column_of(profile, other, there)
        wrong = f"{value(there, 'sibling')} <> {value(here)}"
        yield here, wrong, f"{here} is {there} of {shown}", f"{here} 与 {shown} 的 {there} 一致"
    for there, codes in entry.get("values", {}).items():
        wrong = f"not ({condition(profile, other, {there: codes}, 'sibling')})"
        listed = codes if isinstance(codes, list) else [codes]
        english = f"{there} of its {shown} is {' or '.join(map(str, listed))}"
        yield (
            f"{'+'.join(entry['by'])}+{there}",
            wrong,
            english,
            f"对应 {shown} 的 {there} 为 {'或'.join(map(str, listed))}",
        )
    for here, there in entry.get("order", []):
        column_of(profile, extract, here), column_of(profile, other, there)
        wrong = f"{value(there, 'sibling')} > {value(here)}"
        yield f"{here}>{there}", wrong, f"{here} is not before {there} of {shown}", f"{here} 不早于 {shown} 的 {there}"
    for there in entry.get("empty", []):
        wrong = condition(profile, other, {there: "*"}, "sibling")
        yield (
            f"{'+'.join(entry['by'])}+{there}",
            wrong,
            f"{there} of its {shown} is empty",
            f"对应 {shown} 的 {there} 为空",
        )


def has(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{in, by, [if], [where]}: every row (where `if` holds) has a sibling there (where `where` holds), e.g. each account an owner."""
    for entry in entries(profile, extract, written, "in"):
        other = extract_of(profile, extract, entry["in"])
        joined = _joined(profile, extract, other, entry["by"])
        here = condition(profile, extract, entry.get("if", {}))
        wanted = condition(profile, other, entry.get("where", {}), "sibling")
        if_en, if_zh = in_words(entry.get("if", {}))
        english, chinese = in_words(entry.get("where", {}))
        yield rule(
            extract,
            f"{'+'.join(entry['by'])}+{other.table}.has",
            f"{here} and not exists (select 1 from {other.table} as sibling where {joined} and {wanted})",
            name_en=f"Every row{f' where {if_en}' if if_en else ''} has one in {entry['in']}"
            + (f" where {english}" if english else ""),
            name_zh=f"{f'{if_zh} 的' if if_zh else ''}每条记录在 {entry['in']} 中有对应记录"
            + (f"（{chinese}）" if chinese else ""),
            reason="What belongs together came in part: rows were lost on the way here.",
            severity=entry["severity"],
            dimension="completeness",
        )


def adds_up(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{column: {per, to}}: the column's sum over the rows of a date that share `per` is exactly `to`."""
    for name, entry in written.items():
        column_of(profile, extract, name)
        keys = [value(column_of(profile, extract, key).name) for key in entry["per"]]
        group = ", ".join(["checked.business_date", *keys])
        wrong = per_date(extract, f"({group})", f"sum({value(name)}) <> {entry['to']}", "true", group)
        yield rule(
            extract,
            f"{name}.adds_up",
            f"({group}) in ({wrong})",
            name_en=f"{name} adds up to {entry['to']} per {', '.join(entry['per'])}",
            name_zh=f"每个 {'、'.join(entry['per'])} 的 {name} 合计为 {entry['to']}",
            reason="Shares that do not add up give away more of an account, or less, than there is.",
            dimension="accuracy",
        )


def one_at_a_time(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{per, from, to, [if]}: no two rows of a date are in force at once; `to` is the day after the last, empty: for ever."""
    for entry in entries(profile, extract, written, "per"):
        names = [column_of(profile, extract, name).name for name in (*entry["per"], entry["from"], entry["to"])]
        *keys, since, until = names
        here, there = (condition(profile, extract, entry.get("if", {}), alias) for alias in ("checked", "sibling"))
        english, chinese = in_words(entry.get("if", {}))
        joined = _joined(profile, extract, extract, {key: key for key in keys})
        yield rule(
            extract,
            f"{'+'.join(keys)}.one_at_a_time",
            f"{here} and exists (select 1 from {extract.table} as sibling where {joined} and {there}"
            f" and sibling._source_row <> checked._source_row"
            f" and {value(since, 'sibling')} < coalesce({value(until)}, {FOR_EVER})"
            f" and {value(since)} < coalesce({value(until, 'sibling')}, {FOR_EVER}))",
            name_en=f"One row at a time per {', '.join(keys)}" + (f" where {english}" if english else ""),
            name_zh=(f"{chinese} 时 " if chinese else "") + f"每个 {'、'.join(keys)} 同时只有一条有效记录",
            reason="Two who are responsible at once: the figures of both count what one did.",
            severity=entry["severity"],
            dimension="uniqueness",
        )


def product_of(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{amount, units, price: {in, column, by}, tolerance, [if]}: amount = units x price, within a policy amount."""
    for entry in entries(profile, extract, written, "amount"):
        amount, units = (column_of(profile, extract, entry[part]).name for part in ("amount", "units"))
        other = extract_of(profile, extract, entry["price"]["in"])
        price = column_of(profile, other, entry["price"]["column"]).name
        joined = _joined(profile, extract, other, entry["price"]["by"])
        tolerance = thresholds.number(profile, entry["tolerance"])
        where = condition(profile, extract, entry.get("if", {}))
        yield rule(
            extract,
            f"{amount}+{units}.product_of",
            f"{where} and exists (select 1 from {other.table} as sibling where {joined} and"
            f" abs(cast({value(units)} as double) * cast({value(price, 'sibling')} as double) - {value(amount)}) > {tolerance})",
            name_en=f"{amount} is {units} x {price} of {entry['price']['in']}",
            name_zh=f"{amount} 等于 {units} 乘以 {entry['price']['in']} 的 {price}",
            reason="A value that its units and price do not give is of another day, another product or another holder.",
            severity=entry["severity"],
            dimension="accuracy",
        )


def settled(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{in, by, amount: {here: there}, signs: {column: {code: 1 | -1}}}: what the row says moved has moved there, as much and the same way."""
    for entry in entries(profile, extract, written, "in"):
        other = extract_of(profile, extract, entry["in"])
        joined = _joined(profile, extract, other, entry["by"])
        ((amount, moved),) = entry["amount"].items()
        ((code, signs),) = entry["signs"].items()
        for column, owner in ((amount, extract), (code, extract), (moved, other)):
            column_of(profile, owner, column)
        cases = " ".join(f"when '{each}' then {int(sign)}" for each, sign in signs.items())
        wanted = f"{value(amount)} * case {value(code)} {cases} end"
        codes = condition(profile, extract, {code: list(signs)})
        yield rule(
            extract,
            f"{amount}+{code}+{other.table}.settled",
            f"{codes} and not exists (select 1 from {other.table} as sibling where {joined} and {value(moved, 'sibling')} = {wanted})",
            name_en=f"Each row has moved its {amount} in {entry['in']}, in or out as its {code} says",
            name_zh=f"每条记录的 {amount} 已按 {code} 的方向在 {entry['in']} 中入账",
            reason="An order without its cash, or with it the wrong way round, turns what came in into what went out.",
            severity=entry["severity"],
            dimension="accuracy",
        )


PRINCIPLES = {
    "found": found,
    "agrees": agrees,
    "has": has,
    "adds_up": adds_up,
    "one_at_a_time": one_at_a_time,
    "product_of": product_of,
    "settled": settled,
}
