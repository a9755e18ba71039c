"""One extract (and its siblings) of a few rows, as the landing gate's tables: what a rule's predicate finds in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from unit.tiny_bank import DAY, profile_body, write_profile

from crm_warehouse.profile import Profile, load_profile
from crm_warehouse.quality.landing_gate import _typed
from crm_warehouse.quality.rule import Rule
from expectations.landing import PRINCIPLES

HEADER = "threshold_id,value,effective_from,owner,approved_by,decision_reference,description\n"
Row = dict[str, str]


def thresholds(**values: str) -> str:
    """A policy file of thresholds in force for ever; several values of one are given as `value@date value@date`."""
    lines = [
        f"{name},{value},{since or '2000-01-01'},o,a,D,d\n"
        for name, written in values.items()
        for value, _, since in (each.partition("@") for each in written.split())
    ]
    return HEADER + "".join(lines)


def profile_of(folder: Path, extracts: dict[str, dict[str, Any]], policy: str = "", exceptions: str = "") -> Profile:
    """A bank whose source `core` sends these extracts: {name: {columns, [expect]}}."""
    body = profile_body()
    for name, declared in extracts.items():
        columns = {
            column: {"type": kind} if isinstance(kind, str) else kind for column, kind in declared["columns"].items()
        }
        next(iter(columns.values()))["key"] = True
        declared = {"delivery": "full", **declared, "columns": columns}
        body["sources"]["core"]["extracts"][name] = declared
    settings = write_profile(
        folder,
        body,
        landing_thresholds=policy or thresholds(text_length_max="100"),
        calendar_exceptions="calendar_date,is_business_day,reason\n" + exceptions,
    )
    return load_profile(settings)


def rules_of(profile: Profile, name: str) -> list[Rule]:
    """What follows from `expect` of one extract."""
    extract = next(extract for extract in profile.extracts if extract.name == name)
    return [
        rule
        for principle, written in extract.expect.items()
        for rule in PRINCIPLES[principle](profile, extract, written)
    ]


@contextmanager
def tables(profile: Profile, rows: dict[str, list[Row]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The gate's tables of these rows; `on` in a row is its business date, else DAY. Missing values are empty."""
    with duckdb.connect() as connection:
        for name, sent in rows.items():
            extract = next(extract for extract in profile.extracts if extract.name == name)
            columns = {column.name: [row.get(column.name, "") for row in sent] for column in extract.columns}
            days = pa.array([date.fromisoformat(str(row.get("on", DAY))) for row in sent], pa.date32())
            numbers = pa.array(range(2, len(sent) + 2), pa.int64())
            sent_table = pa.table(
                {
                    "business_date": days,
                    "batch": pa.array([1] * len(sent), pa.int64()),
                    "_source_row": numbers,
                    **{column: pa.array(values, pa.string()) for column, values in columns.items()},
                }
            )
            connection.register("sent", sent_table)
            typed = ", ".join(_typed(column) for column in extract.columns)
            connection.execute(
                f"create table {extract.table} as select business_date, batch, _source_row, {typed} from sent"
            )
        yield connection


def bad(connection: duckdb.DuckDBPyConnection, rule: Rule) -> list[int]:
    """Places (from 0) of the rows that a rule finds."""
    query = f"select _source_row - 2 from {rule.table} as checked where {rule.bad_rows} order by 1"
    return [place for (place,) in connection.execute(query).fetchall()]


def found(
    folder: Path,
    columns: dict[str, Any],
    expect: dict[str, Any],
    rows: list[Row],
    policy: str = "",
    beside: dict[str, tuple[dict[str, Any], list[Row]]] | None = None,
    exceptions: str = "",
) -> dict[str, list[int]]:
    """Bad rows of extract `core.things` by rule, named without its table; `beside`: {extract: (columns, rows)}."""
    extracts = {"things": {"columns": columns, "expect": expect}}
    extracts |= {name: {"columns": declared} for name, (declared, _) in (beside or {}).items()}
    profile = profile_of(folder, extracts, policy, exceptions)
    everything = {"things": rows, **{name: sent for name, (_, sent) in (beside or {}).items()}}
    with tables(profile, everything) as connection:
        return {
            rule.id.removeprefix("landing.core__things."): bad(connection, rule) for rule in rules_of(profile, "things")
        }
