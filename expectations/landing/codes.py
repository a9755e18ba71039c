"""What codes ask of other columns of their row, and how the rows of a date are spread over them."""

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
    in_words,
    literal,
    per_date,
    refusal,
    rule,
    value,
)


def _rows_min(profile: Profile, threshold: str) -> str:
    """Fewer rows of a date than this say nothing of shares: `<threshold>_rows_min`, else `code_share_rows_min`."""
    own = f"{threshold}_rows_min"
    return thresholds.number(profile, own if own in thresholds.known_ids(profile) else "code_share_rows_min")


def conditional(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{if, filled | empty | values}: where a condition holds, columns are filled, empty, or have one of these values."""
    for entry in entries(profile, extract, written, "if"):
        where = condition(profile, extract, entry["if"])
        english, chinese = in_words(entry["if"])
        wanted = [(name, "*") for name in entry.get("filled", [])] + [(name, None) for name in entry.get("empty", [])]
        wanted += list(entry.get("values", {}).items())
        if not wanted:
            raise refusal(profile, extract, f"conditional with if {entry['if']} lacks filled, empty or values")
        for name, values in wanted:
            column_of(profile, extract, name)
            holds = condition(profile, extract, {name: values})
            kind = "filled" if values == "*" else "empty" if values is None else "values"
            then_en, then_zh = in_words({name: values})
            yield rule(
                extract,
                f"{name}+{'+'.join(entry['if'])}={_short(entry['if'])}.{kind}",
                f"{where} and not coalesce({holds}, false)",
                name_en=f"{then_en} where {english}",
                name_zh=f"{chinese} 时 {then_zh}",
                reason="Two columns that contradict each other: one of them is wrong, and nobody can tell which.",
                severity=entry["severity"],
                dimension="completeness" if kind == "filled" else "consistency",
            )


def _short(wanted: dict[str, Any]) -> str:
    """The codes of a condition, as they stand in a rule's id."""
    shown = []
    for values in wanted.values():
        listed = values if isinstance(values, list) else [{None: "empty", "*": "filled"}.get(values, values)]
        shown.append("|".join(str(each).lower() if isinstance(each, bool) else str(each) for each in listed))
    return "+".join(shown).replace(".", "_")


def different(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """`[a, b]`: two columns that never hold the same."""
    for entry in entries(profile, extract, written, "columns"):
        first, second = (column_of(profile, extract, name).name for name in entry["columns"])
        yield rule(
            extract,
            f"{first}+{second}.different",
            f"{value(first)} = {value(second)}",
            name_en=f"{first} is not {second}",
            name_zh=f"{first} 与 {second} 不相同",
            reason="A link from something to itself links nothing.",
            severity=entry["severity"],
            dimension="consistency",
        )


def determines(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{code: [columns]}: rows of a date with one code have one value in these columns."""
    for code, columns in written.items():
        for name in columns:
            column_of(profile, extract, code), column_of(profile, extract, name)
            groups = per_date(
                extract, f"(checked.business_date, {value(code)})", f"count(distinct {value(name)}) > 1", "true",
                f"checked.business_date, {value(code)}",
            )  # fmt: skip
            yield rule(
                extract,
                f"{code}+{name}.determines",
                f"(checked.business_date, {value(code)}) in ({groups})",
                name_en=f"One {code} has one {name}",
                name_zh=f"同一 {code} 只对应一个 {name}",
                reason="A code with two meanings was moved against the column beside it.",
                severity="block",
                dimension="consistency",
            )


def not_again(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """`[columns]`: no two rows of a date are alike in all of them, whatever their keys."""
    for entry in entries(profile, extract, written, "columns"):
        names = [column_of(profile, extract, name).name for name in entry["columns"]]
        row = ", ".join(["checked.business_date", *(value(name) for name in names)])
        filled = " and ".join(f"{value(name)} is not null" for name in names)
        yield rule(
            extract,
            f"{'+'.join(names)}.not_again",
            f"({row}) in ({per_date(extract, f'({row})', 'count(*) > 1', filled, row)})",
            name_en=f"No two rows of a date are alike in {', '.join(names)}",
            name_zh=f"同一日内 {'、'.join(names)} 全部相同的记录不重复",
            reason="The same thing under two keys is counted twice, in money too.",
            severity=entry["severity"],
            dimension="uniqueness",
        )


def varied(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{column: threshold}: no value has more than this share of a date's filled rows, when there are enough of them."""
    for name, threshold_id in written.items():
        least = _rows_min(profile, threshold_id.removesuffix("_max"))
        column_of(profile, extract, name)
        share = thresholds.number(profile, threshold_id)
        counted = (
            f"select business_date, {value(name)} as code, count(*) as rows,"
            f" sum(count(*)) over (partition by business_date) as all_rows"
            f" from {extract.table} as checked where {value(name)} is not null group by business_date, {value(name)}"
        )
        wrong = (
            f"select (checked.business_date, checked.code) from ({counted}) as checked"
            f" where checked.all_rows >= {least} and checked.rows > {share} * checked.all_rows"
        )
        yield rule(
            extract,
            f"{name}.varied",
            f"(checked.business_date, {value(name)}) in ({wrong})",
            name_en=f"{name} is not one and the same value",
            name_zh=f"{name} 的取值不全部相同",
            reason="A column of one value was overwritten by a default.",
            severity="block",
            dimension="accuracy",
        )


def shares(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{column: {code: name}}: a code's share of a date's filled rows lies in the policy `<name>_min`, `<name>_max`.

    `among: {column: value}` beside the codes: of the rows of which that holds.
    """
    for name, codes in written.items():
        column = column_of(profile, extract, name)
        among = condition(profile, extract, codes.get("among", {}))
        for code, threshold in codes.items():
            if code == "among":
                continue
            least = _rows_min(profile, threshold)
            is_code = f"{value(name)} = {code if column.type == 'boolean' else literal(code)}"
            is_code = is_code.replace("True", "true").replace("False", "false") if column.type == "boolean" else is_code
            share = f"count(*) filter ({is_code})"
            out = [
                f"{share} {operator} {bound} * count({value(name)})"
                for operator, bound in thresholds.bounds(profile, threshold)
            ]
            enough = f"count({value(name)}) >= {least} and ({' or '.join(out)})"
            wrong = per_date(extract, "checked.business_date", enough, among)
            shown = str(code).lower() if column.type == "boolean" else code
            yield rule(
                extract,
                f"{name}={shown}.share",
                f"checked.business_date in ({wrong})",
                name_en=f"The share of {name} {shown} is within the policy bounds {threshold}",
                name_zh=f"{name} 为 {shown} 的占比在政策区间 {threshold} 之内",
                reason="A code that nobody or everybody has was lost or overwritten.",
                severity="block",
                dimension="accuracy",
            )


PRINCIPLES = {
    "conditional": conditional,
    "different": different,
    "determines": determines,
    "not_again": not_again,
    "varied": varied,
    "shares": shares,
}
