"""The floor (floor.sql): rows of the core of the marts straight from the landing files in force, and whether they are the published ones."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.day_steps import CORE
from crm_warehouse.landing import ACCEPTED, accepted_batches
from crm_warehouse.profile import load_profile
from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings
from crm_warehouse.sql_text import as_text

SCRIPT = Path(__file__).with_name("floor.sql")


def script_of(settings: Settings, as_of: date) -> list[str]:
    """The statements, with the files that the last build read."""
    files: dict[str, list[str]] = {}
    for batch in accepted_batches(settings, load_profile(settings), as_of):
        files.setdefault(batch.table, []).append(as_text(batch.folder / ACCEPTED))
    landed = {
        table: f"read_parquet([{', '.join(paths)}], hive_partitioning = true, hive_types = {{'business_date': date}})"
        for table, paths in files.items()
    }
    script = SCRIPT.read_text(encoding="utf-8").format(
        as_of=f"date '{as_of}'",
        tokens=f"read_parquet({as_text(settings.token_map)})",
        batches=f"read_parquet({as_text(settings.warehouse / 'landing_batches.parquet')})",
        policy=settings.bank_folder / "policy",
        **landed,
    )
    # DuckDB's own parser takes names of windows for those of the whole script.
    return script.strip().removesuffix(";").split(";\n")


def compute_floor(settings: Settings, as_of: date, database: Path) -> dict:
    """Run the script with the engine set as dbt's is; its rows stay in `database`."""
    database.unlink(missing_ok=True)
    statements = script_of(settings, as_of)
    with duckdb.connect(str(database)) as connection:
        connection.execute("set threads = 2; set memory_limit = '8GB'; set preserve_insertion_order = false")
        began = time.perf_counter()
        for statement in statements:
            connection.execute(statement)
        connection.execute("checkpoint")
        return {"sql_seconds": round(time.perf_counter() - began, 2)}


def compare_with_published(settings: Settings, database: Path) -> dict[str, dict]:
    """Of each mart of the floor its rows, and how many are on one side only, over the columns that the floor has."""
    live = versions.live_version(settings)
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(f"attach {as_text(settings.published / live['file'])} as published (read_only)")
        found = {}
        for mart in CORE:
            columns = ", ".join(name for name, *_ in connection.execute(f"describe main.{mart}").fetchall())
            sides = f"select {columns} from main.{mart}", f"select {columns} from published.marts.{mart}"
            rows, *differing = connection.execute(
                f"select (select count(*) from main.{mart}), (select count(*) from ({sides[0]} except all {sides[1]})),"
                f" (select count(*) from ({sides[1]} except all {sides[0]}))"
            ).fetchone()
            found[mart] = {"rows": rows, "rows_differing": sum(differing)}
        return found
