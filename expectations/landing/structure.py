"""Rules that follow from what a profile declares of an extract: key, required, type, codes, references.

Tables here are those of the landing gate: for each extract `<source>__<extract>`, each declared column typed (null
where the text cannot be read as that type) and beside it `<column>__text` as received (null where blank).
"""

from __future__ import annotations

from collections.abc import Iterator

import great_expectations.expectations as gxe

from crm_warehouse.profile import Column, Extract, Profile
from crm_warehouse.quality.rule import Rule

OWNER = "data-engineering"
SEND_AGAIN = "Ask the source system for a corrected delivery; the last published version stays live."
SET_ASIDE = "The rows are in quarantine with their source row; correct them at the source."
ACCURACY = "BCBS 239 P3 accuracy and integrity; 数据治理指引 第四章 数据质量控制"
COMPLETENESS = "BCBS 239 P4 completeness; 数据治理指引 第四章 数据质量控制"


def build_rules(profile: Profile, extract: Extract) -> Iterator[Rule]:
    """The rules of one extract, in a fixed order."""
    if not extract.may_be_empty:
        yield _rows_present(extract)
    yield _key_unique(extract)
    for column in extract.columns:
        if column.required or column.key:
            yield _required(extract, column)
        if column.type != "text":
            yield _readable(extract, column)
        if column.values:
            yield _known_code(extract, column)
        if column.references:
            yield _reference_found(profile, extract, column)


def _rows_present(extract: Extract) -> Rule:
    return Rule(
        id=f"landing.{extract.table}.rows_present",
        table=extract.table,
        name_en="The extract has rows",
        name_zh="数据文件不为空",
        reason="A full extract without rows would empty the warehouse of everything it feeds.",
        severity="block",
        dimension="completeness",
        owner=OWNER,
        on_failure=SEND_AGAIN,
        principle=COMPLETENESS,
        expectation=gxe.ExpectTableRowCountToBeBetween(min_value=1),
    )


def _key_unique(extract: Extract) -> Rule:
    # Within a delivery, so that a date says the same alone and in a range; `comes_once` looks at earlier deliveries.
    key = ["business_date", *extract.key]
    columns = ", ".join(f'"{name}"' for name in key)
    return Rule(
        id=f"landing.{extract.table}.key_unique",
        table=extract.table,
        name_en=f"No two rows of a delivery share {' + '.join(extract.key)}",
        name_zh=f"同一交付内主键 {'、'.join(extract.key)} 不重复",
        reason="A row that arrives twice is counted twice, in money too.",
        severity="block",
        dimension="uniqueness",
        owner=OWNER,
        on_failure=SEND_AGAIN,
        principle=ACCURACY,
        expectation=gxe.UnexpectedRowsExpectation(
            description=f"{extract.table}: no two rows share {key}",
            unexpected_rows_query=f"select {columns} from (select * from {{batch}}) as checked group by {columns} having count(*) > 1",
        ),
        bad_rows=f"({columns}) in (select ({columns}) from {extract.table} group by {columns} having count(*) > 1)",
    )


def _required(extract: Extract, column: Column) -> Rule:
    return _row_rule(
        extract,
        f"{column.name}.present",
        name_en=f"{column.name} is filled",
        name_zh=f"{column.name} 不为空",
        reason="What depends on this value cannot be computed without it.",
        dimension="completeness",
        principle=COMPLETENESS,
        bad_rows=f'checked."{column.name}__text" is null',
    )


def _readable(extract: Extract, column: Column) -> Rule:
    return _row_rule(
        extract,
        f"{column.name}.readable",
        name_en=f"{column.name} is a {column.type} without loss",
        name_zh=f"{column.name} 可无损解析为 {column.type}",
        reason="A value that must be rounded, cut or guessed to be read is a wrong value.",
        dimension="validity",
        principle=ACCURACY,
        bad_rows=f'checked."{column.name}" is null and checked."{column.name}__text" is not null',
    )


def _known_code(extract: Extract, column: Column) -> Rule:
    allowed = ", ".join(f"'{value}'" for value in column.values)
    return _row_rule(
        extract,
        f"{column.name}.known_code",
        name_en=f"{column.name} is one of {', '.join(column.values)}",
        name_zh=f"{column.name} 取值在代码表内",
        reason="An unknown code falls out of every group it should be counted in.",
        dimension="validity",
        principle=ACCURACY,
        bad_rows=f'checked."{column.name}" not in ({allowed})',
    )


def _reference_found(profile: Profile, extract: Extract, column: Column) -> Rule:
    source, name, parent_column = column.references.split(".")
    parent = next(e for e in profile.extracts if (e.source, e.name) == (source, name))
    return _row_rule(
        extract,
        f"{column.name}.reference_found",
        name_en=f"{column.name} exists in {source}.{name}",
        name_zh=f"{column.name} 在 {source}.{name} 中存在",
        reason="A row that belongs to nobody is lost from every customer's figures.",
        dimension="consistency",
        principle=ACCURACY,
        bad_rows=(
            f'checked."{column.name}" is not null and not exists (select 1 from {parent.table} as parent'
            f' where parent."{parent_column}" = checked."{column.name}" and parent.business_date = checked.business_date)'
        ),
    )


def _row_rule(extract: Extract, suffix: str, *, bad_rows: str, **words: str) -> Rule:
    """A rule whose bad rows are set aside; the gate blocks when they are many or carry money."""
    return Rule(
        id=f"landing.{extract.table}.{suffix}",
        table=extract.table,
        severity="quarantine",
        owner=OWNER,
        on_failure=SET_ASIDE,
        expectation=row_expectation(extract.table, words["name_en"], bad_rows),
        bad_rows=bad_rows,
        **words,
    )


def row_expectation(table: str, name_en: str, bad_rows: str) -> gxe.UnexpectedRowsExpectation:
    """That no row of a table is as the predicate `bad_rows` over `checked` says."""
    return gxe.UnexpectedRowsExpectation(
        description=f"{table}: {name_en}",
        unexpected_rows_query=f"select 1 as bad from (select * from {{batch}}) as checked where {bad_rows}",
    )
