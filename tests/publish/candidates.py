"""Small real candidates, and publishing them the ordinary way."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.files import sha256_of, write_json
from crm_warehouse.publish import versions
from crm_warehouse.publish.content import describe_tables
from crm_warehouse.publish.leases import Lease
from crm_warehouse.settings import Settings


def candidate_of(settings: Settings, content: int, run_id: str | None = None, bank: str = "reference_bank"):
    """A small real candidate whose two tables hold `content`, and what a mart gate would say of it."""
    statements = [f"create table marts.{table} as select {content}::bigint as n from range(3)" for table in ("a", "b")]
    return write_candidate_of(settings, statements, run_id or f"run_{content:03d}", bank)


def write_candidate_of(settings: Settings, statements: list[str], run_id: str, bank: str = "reference_bank"):
    """A candidate whose schema `marts` the statements fill, and what a mart gate would say of it."""
    file = settings.warehouse / "candidate.duckdb"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts")
        for statement in statements:
            connection.execute(statement)
        connection.execute("checkpoint")
        tables = describe_tables(connection, "marts")
    audited = {
        "bank": bank,
        "reporting_currency": "CNY",
        "business_date": "2026-06-30",
        "run_id": run_id,
        "sha256": sha256_of(file),
        "tables": tables,
    }
    return file, audited


def publish(settings: Settings, content: int, *, switch_bank: bool = False, **of_candidate) -> dict:
    """Publish `content` the ordinary way: from what is live now."""
    lease = versions.take_lease(settings)
    file, audited = candidate_of(settings, content, **of_candidate)
    return versions.publish(settings, file, audited, lease, switch_bank)


def lease_from(settings: Settings, live: str | None) -> Lease:
    """The lease of a run that planned last, but when another version was live."""
    return Lease(versions.take_lease(settings).token, live)


def content_of(settings: Settings, version: dict | None = None) -> int:
    file = settings.published / (version or versions.live_version(settings))["file"]
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute("select max(n) from marts.a").fetchone()[0]


def backdate(settings: Settings, version: dict, published_at: str) -> None:
    """Let `version` have been published at another time, as a clock that was set would have it."""
    body = {**version, "published_at": published_at}
    write_json(settings.published / f"{version['version']}.json", body)
    if versions.live_version(settings)["version"] == version["version"]:
        write_json(settings.published / versions.POINTER, body)


def flip_a_bit(file) -> None:
    """As a failing disk would, behind everybody's back."""
    mode = file.stat().st_mode
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    file.chmod(mode)


def publish_customers(settings: Settings) -> dict:
    """Publish four customers of two managers and none, with facts of customers and of the bank, and their token map."""
    statements = [
        "create table marts.dim_customers as select * from (values"
        " ('k1', 'R00001', '=cmd()'), ('k2', 'R00001', '-'), ('k3', 'R00002', 'plain'), ('k4', null, ''))"
        " as t (customer_key, primary_rm_id, occupation_code)",
        "create table marts.dim_products as select 'p1' as product_id",
        "create table marts.fct_values as select * from (values"
        " ('k1', cast(-1.5 as decimal(18, 2))), ('k2', 2), ('k3', 3), ('k4', 4)) as t (customer_key, amount)",
        "create table marts.fct_totals as select cast(8 as bigint) as customers",
        "comment on table marts.fct_values is 'Values. 价值。'",
        "comment on column marts.fct_values.amount is 'It''s money. 金额。'",
    ]
    file, audited = write_candidate_of(settings, statements, "customers")
    ids = pa.table({"customer_id": [f"C{n}" for n in range(1, 6)], "customer_key": [f"k{n}" for n in range(1, 6)]})
    pq.write_table(ids, settings.warehouse / "customer_tokens.parquet")
    return versions.publish(settings, file, audited, versions.take_lease(settings), False)
