"""Data of class C3 (JR/T 0171-2020): full card numbers, card codes, passwords. Refused before anything is kept.

A card number is a group of 13 to 19 digits of its own, or the same in the groups printed on cards, that passes Luhn's
check. Not so: digits beside a letter, a number that begins with 0, and a resident id (18 digits, right check digit).
Columns whose long numbers are ids of another kind say `not_cards: true` in the profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from crm_warehouse.errors import ForbiddenData
from crm_warehouse.extract.delivery import SOURCE_ROW
from crm_warehouse.profile import Extract

# As on cards: undivided, in fours, or 4-6-5. \b keeps digits out that belong to a longer word.
CARD = (
    r"\b(?:[1-9][0-9]{12,18}|[1-9][0-9]{3}(?:[ -][0-9]{4}){2}[ -][0-9]{1,4}(?:[ -][0-9]{1,3})?"
    r"|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{5})\b"
)
SECRET_NAMES = re.compile(
    r"(^|_)(cvv2?|cvc2?|cvn2?|cav2?|csc|card_verification|security_code|pin|pin_?block|passwd|password|pwd"
    r"|track_?[123]?(_data)?)(_|$)|密码|安全码|磁道"
)
CARDS, SECRETS = "full card numbers", "card codes or passwords"
# Luhn: from the right every second digit counts twice, less 9 if that has two digits. A resident id: ISO 7064 MOD 11-2.
FIND_CARDS = rf"""
with candidates as (
    select column_name, source_row, regexp_replace(unnest(regexp_extract_all(value, '{CARD}')), '[ -]', '', 'g') as digits
    from suspects
),
checked as (
    select
        column_name,
        source_row,
        list_sum(list_transform(range(1, length(digits) + 1), position ->
            case
                when position % 2 = 1 then cast(digits[length(digits) - position + 1] as integer)
                else 2 * cast(digits[length(digits) - position + 1] as integer)
                    - case when digits[length(digits) - position + 1] > '4' then 9 else 0 end
            end)) as luhn_sum,
        regexp_full_match(digits, '[1-9][0-9]{{5}}(19|20)[0-9]{{2}}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{{4}}')
        and list_sum(list_transform(range(1, 19), position ->
            cast(nullif(digits[position], '') as integer) * ((1 << (18 - position)) % 11))) % 11 = 1 as is_resident_id
    from candidates
    where length(digits) between 13 and 19
)
select column_name, min(source_row), count(distinct source_row)
from checked
where luhn_sum % 10 = 0 and is_resident_id is not true
group by column_name
order by min(source_row), column_name
"""


@dataclass(frozen=True)
class Finding:
    """A column with forbidden values: what kind, in how many rows, and the first of them."""

    what: str
    column: str
    row: int
    rows: int


def find_forbidden(spec: Extract, rows: pa.Table) -> list[Finding]:
    """Columns of these rows that hold card numbers, or anything at all under the name of a card's code or a password."""
    found, suspects = [], []
    for column in spec.columns:
        values = rows.column(column.name)
        if is_secret(column.name):
            filled = rows.column(SOURCE_ROW).filter(pc.not_equal(values, ""))
            if len(filled):
                found.append(Finding(SECRETS, column.name, filled[0].as_py(), len(filled)))
        elif column.type == "text" and not column.not_cards:
            is_suspect = pc.match_substring_regex(values, CARD)
            if pc.any(is_suspect).as_py():
                suspects.append(_suspects(column.name, rows, is_suspect))
    return found + (_cards_among(pa.concat_tables(suspects)) if suspects else [])


def is_secret(name: str) -> bool:
    """Whether a column's name says that it holds card codes or passwords."""
    return bool(SECRET_NAMES.search(name.lower()))


def refuse_names(spec: Extract, place: str, identity: dict, names: Iterable[str], row: int = 1) -> None:
    """Raise ForbiddenData when a column that the profile does not know says that it holds card codes or passwords."""
    for name in names:
        if secret := SECRET_NAMES.search(name.lower()):
            refuse(spec, place, identity, [Finding(SECRETS, secret.group().strip("_"), row, 1)])


def refuse(spec: Extract, place: str, identity: dict, findings: list[Finding]) -> None:
    """Raise ForbiddenData for the first finding, if there is one. `identity`: business date, file and sha256."""
    if not findings:
        return
    first = min(findings, key=lambda finding: finding.row)
    mend = " (or, if these are ids of another kind, mark the column `not_cards: true` in the profile)"
    raise ForbiddenData(
        f"{place}, row {first.row}: column {first.column} holds {first.what}, {first.rows} row(s) in all; this may not be"
        f" kept, so nothing of the delivery was: ask the {spec.source} system to send it without"
        f"{mend if first.what == CARDS else ''}",
        table=spec.table,
        column=first.column,
        first_row=first.row,
        rows=first.rows,
        what=first.what,
        **identity,
    )


def _suspects(name: str, rows: pa.Table, is_suspect: pa.ChunkedArray) -> pa.Table:
    kept = rows.select([SOURCE_ROW, name]).filter(is_suspect)
    names = pa.array([name] * len(kept), pa.string())
    return pa.table({"column_name": names, "source_row": kept[SOURCE_ROW], "value": kept[name]})


def _cards_among(suspects: pa.Table) -> list[Finding]:
    with duckdb.connect() as connection:
        connection.register("suspects", suspects)
        rows = connection.execute(FIND_CARDS).fetchall()
    return [Finding(CARDS, column, row, count) for column, row, count in rows]
