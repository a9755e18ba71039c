"""Every landing rule of every bank finds a known-bad delivery: damage in the bank's own tables, by principle.

The tables are those of a run that passed. Each rule is judged on a table damaged for it, which is then put back; so a rule
that can never fail (a column that is never filled, a condition that never holds) is found here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from crm_warehouse.profile import Extract, Profile, load_profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import LOOKING_BACK, PRINCIPLES, build_rules
from expectations.landing.bank_checks import read_checks

CARD = "4111111111111111"
MANY = 150  # rows of one kind, so that shares are judged and too large
VALUES = {
    "text": ("'=zz'", "'(null)'", f"'{CARD}'", "chr(65533)", "repeat('x', 3000)", "'111111111111111111'"),
    "date": ("date '1899-01-01'", "business_date + 1", "business_date - 40", "business_date"),
    "timestamp": ("timestamp '1899-01-01 00:00:00'", "business_date + interval 40 hour", "business_date + interval 19 hour"),
    "boolean": ("true", "false"),
    "integer": ("-1", "0", "1", "1000000"),
    "decimal": ("-1", "0", "1", "0.3", "9000000000000", "-9000000000000"),
    "fraction": ("-1", "0", "0.3", "2", "5000000"),
    "quantity": ("-1", "0", "2", "5000000"),
}  # fmt: skip


def assigned(column: str, value: str) -> str:
    return f'"{column}" = {value}, "{column}__text" = cast({value} as varchar)'


def damages(profile: Profile, extract: Extract, rule: Rule) -> Iterator[str]:
    """Ways to damage the tables that a rule reads, the likeliest first: SQL statements, parted by semicolons."""
    table, name = rule.table, rule.id.split(".", 2)[2]
    in_name = name.replace(">", "+").split(".")[0].split("+")
    named = [column for column in extract.columns if column.name in in_name]
    read = [column for column in extract.columns if f'"{column.name}' in rule.bad_rows and column not in named]
    for column in (*named, *read):
        for value in VALUES[column.type]:
            yield f"update {table} set {assigned(column.name, value)}"
            yield f"update {table} set {assigned(column.name, value)} where rowid = 0"
        yield f'update {table} set "{column.name}" = null, "{column.name}__text" = null'
        yield f'update {table} set "{column.name}" = null, "{column.name}__text" = \'?\''
        yield f'update {table} set "{column.name}" = -"{column.name}"' if column.type in ("decimal", "fraction") else ""
        yield f'update {table} set "{column.name}__padded" = true'
        if column.values or column.type == "text":
            for value in column.values:
                yield f"update {table} set {assigned(column.name, repr(value))}"
        yield f'update {table} set "{column.name}" = not "{column.name}"' if column.type == "boolean" else ""
        yield f'update {table} set "{column.name}" = "{column.name}" + interval 30 hour'
        yield f'update {table} set "{column.name}" = "{column.name}" * 1000'
        yield f'update {table} set "{column.name}" = cast(rowid as varchar)'
        yield f'update {table} set "{column.name}" = rowid'
    for first in named:
        for second in named:
            yield f'update {table} set "{first.name}" = "{second.name}", "{second.name}" = "{first.name}"'
            yield f'update {table} set "{first.name}" = "{second.name}"'
            for low, high in (("1", "2"), ("date '2026-01-01'", "date '2026-01-02'")):
                yield f'update {table} set "{first.name}" = {high}, "{second.name}" = {low}'
    yield f"insert into {table} select * replace (_source_row + 1000000 as _source_row) from {table}"
    one = f"(select * from {table} order by business_date desc, _source_row limit 1)"
    for column in named:
        filled = f'(select * from {table} where "{column.name}" is not null limit 1)'
        yield f"insert into {table} select each.* from {filled} as each, range({MANY}); delete from {table} where rowid < 0"
        yield f"delete from {table}; insert into {table} select * from {table}"
    yield f"insert into {table} select each.* from {one} as each, range({MANY})"
    for column in read:
        empty = f'null as "{column.name}", null as "{column.name}__text"'
        for other in (each for each in read if each != column):
            for value in VALUES[other.type]:
                changed = f'{empty}, {value} as "{other.name}"'
                yield f"insert into {table} select each.* replace ({changed}) from {one} as each, range({MANY})"
    yield f"delete from {table} where rowid % 3 = 1"
    for sibling in profile.extracts:
        if sibling.table in rule.bad_rows and sibling.table != table:
            yield f"delete from {sibling.table}"
            for column in sibling.columns:
                if column.name in name:
                    for value in VALUES[column.type]:
                        yield f"update {sibling.table} set {assigned(column.name, value)}"


def finds(connection: duckdb.DuckDBPyConnection, rule: Rule) -> int:
    query = f"select count(*) from {rule.table} as checked where {rule.bad_rows}"
    return connection.execute(query).fetchone()[0]


def within_a_date(profile: Profile) -> Profile:
    """The profile without what is expected of what came before: `unit/quality/test_what_came_before` damages that."""
    extracts = (
        replace(each, expect={name: written for name, written in each.expect.items() if name not in LOOKING_BACK})
        for each in profile.extracts
    )
    return replace(profile, extracts=tuple(extracts))


def never_failing(profile: Profile, database: Path) -> tuple[list[str], list[str]]:
    """Rules that find something in tables that passed, and rules that find nothing whatever the damage."""
    own = {f"landing.{check['table']}.{check['id']}" for check in read_checks(profile)}
    rules = [rule for rule in build_rules(within_a_date(profile)) if rule.bad_rows and rule.id not in own]
    extracts = {extract.table: extract for extract in profile.extracts}
    alarms, blind = [], []
    with duckdb.connect(str(database)) as connection:
        for rule in rules:
            if finds(connection, rule):
                alarms.append(rule.id)
            for damage in filter(None, damages(profile, extracts[rule.table], rule)):
                connection.execute("begin")
                try:
                    connection.execute(damage)
                    found = finds(connection, rule)
                except duckdb.Error:
                    found = 0  # a damage of another type of column
                connection.execute("rollback")
                if found:
                    break
            else:
                blind.append(rule.id)
    return alarms, blind


def copy_of_tables(run, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(run.settings.warehouse / "landing_gate.duckdb", tmp_path / "gate.duckdb"))


def test_no_rule_of_the_reference_bank_is_without_a_bad_delivery(reference_run, tmp_path):
    alarms, blind = never_failing(load_profile(reference_run.settings), copy_of_tables(reference_run, tmp_path))
    assert alarms == []
    assert blind == []


@pytest.mark.eagle
def test_no_rule_of_the_eagle_bank_is_without_a_bad_delivery(eagle_run, tmp_path):
    alarms, blind = never_failing(load_profile(eagle_run.settings), copy_of_tables(eagle_run, tmp_path))
    assert alarms == []
    assert blind == []


def test_the_good_bank_passes_every_rule_on_all_its_dates(reference_run):
    """Shown, and only shown: a customer who comes back, and days that are unusual but not wrong."""
    gate = reference_run.summary["results"]["landing_gate"]
    assert gate["planned"] == gate["run"] == len(build_rules(load_profile(reference_run.settings)))
    failed = [result["rule"] for result in gate["results"] if result["status"] != "passed"]
    assert {rule["severity"] for rule in failed} <= {"warn"} and len(failed) < 10
    assert {rule["id"].rsplit(".", 1)[-1] for rule in failed} <= {"near", "stays"}
    assert len({batch["business_date"] for batch in gate["batches"]}) == 22
    assert all(batch["rows_quarantined"] == 0 for batch in gate["batches"])


def test_every_principle_is_used_by_a_bank(reference_run):
    used = {name for extract in load_profile(reference_run.settings).extracts for name in extract.expect}
    assert set(PRINCIPLES) <= used
