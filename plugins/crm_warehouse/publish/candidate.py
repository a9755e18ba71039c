"""The candidate: one private DuckDB file with the marts alone, described and ready to be audited."""

from __future__ import annotations

from pathlib import Path

import duckdb

from crm_warehouse.errors import PublishRefused
from crm_warehouse.files import read_json, sha256_of, sync
from crm_warehouse.profile import Profile
from crm_warehouse.sql_text import as_text

SCHEMA = "marts"


def write_candidate(warehouse: Path, manifest: Path, profile: Profile, candidate: Path) -> None:
    """Copy the marts of the private warehouse into `candidate`, with the descriptions BI reads.

    Rows are ordered by their grain. The file is checkpointed, closed, and on disk when this returns.
    """
    candidate.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (candidate, _wal(candidate)):
        leftover.unlink(missing_ok=True)
    marts = marts_of(manifest)
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(f"attach {as_text(warehouse)} as warehouse (read_only)")
        connection.execute(f"create schema {SCHEMA}")
        for mart, node in marts.items():
            grain = ", ".join(node["config"]["meta"]["grain"])
            source = f"warehouse.{SCHEMA}.{mart}"
            connection.execute(f"create table {SCHEMA}.{mart} as select * from {source} order by {grain}")
            _comment(connection, f"table {SCHEMA}.{mart}", node, profile)
            for name, column in node["columns"].items():
                _comment(connection, f'column {SCHEMA}.{mart}."{name}"', column, profile)
        connection.execute("detach warehouse")
        connection.execute("checkpoint")
    if _wal(candidate).exists():
        raise PublishRefused(f"{candidate} was closed with a write-ahead log beside it: it is not whole, run again")
    sync(candidate)
    sync(candidate.parent)


def marts_of(manifest: Path) -> dict[str, dict]:
    """dbt's nodes of the published models, by name."""
    nodes = read_json(manifest)["nodes"].values()
    marts = {
        node["name"]: node for node in nodes if node["resource_type"] == "model" and node["config"]["schema"] == SCHEMA
    }
    return dict(sorted(marts.items()))


def prove_whole(file: Path, sha256: str) -> None:
    """Raise PublishRefused unless `file` has these bytes and no write-ahead log that DuckDB would replay."""
    if not file.is_file():
        raise PublishRefused(f"{file} is missing; roll back to another version or run again")
    if _wal(file).exists():
        raise PublishRefused(
            f"{_wal(file)} lies beside a finished file; DuckDB would replay it: remove it and run again"
        )
    if sha256_of(file) != sha256:
        raise PublishRefused(f"{file} is not the file that was audited (its sha256 differs); run again or roll back")


def _wal(file: Path) -> Path:
    return file.with_name(file.name + ".wal")


def _comment(connection: duckdb.DuckDBPyConnection, target: str, node: dict, profile: Profile) -> None:
    meta = node["config"]["meta"]
    unit = meta.get("unit", "").replace("reporting currency", profile.reporting_currency)
    parts = [node["description"], meta["zh"]]
    parts += [f"Unit 单位: {unit}."] if unit else []
    parts += [f"Formula 公式: {meta['formula']}."] if meta.get("formula") else []
    connection.execute(f"comment on {target} is {as_text(' '.join(parts))}")
