"""The live version in PostgreSQL: the database follows the pointer, in one transaction, and says which version it holds.

schema marts        the marts, and `published_version`: the one row that says which night this is
schema rm           the same rows, those of the customers whose primary relationship manager has the reader's role name
schema restricted   `customer_ids`: who a customer_key is

Rows are replaced, tables are not: readers are never blocked, whoever reads in one transaction (repeatable read) or one
statement sees one night, and grants and views of the bank outlive the night. Nobody but the owner sees anything until it is granted.
"""

from __future__ import annotations

import io
import os
from contextlib import closing
from dataclasses import replace

import duckdb
import psycopg2
import pyarrow.csv
from psycopg2 import errors, extensions, sql

from crm_warehouse.errors import CrmWarehouseError, ServingFailed
from crm_warehouse.evidence import log
from crm_warehouse.extract.postgresql import connect
from crm_warehouse.publish.opening import open_locked
from crm_warehouse.publish.parquet import describe_columns
from crm_warehouse.publish.versions import live_version, prove_version
from crm_warehouse.settings import Settings

VARIABLE = "CRM_WAREHOUSE_SERVING_DATABASE"
NAME = "the serving database"
ROWS_A_BATCH = 100_000
TYPES = {"VARCHAR": "text", "DATE": "date", "TIMESTAMP": "timestamp without time zone", "BOOLEAN": "boolean"} | {
    "INTEGER": "integer",
    "BIGINT": "bigint",
}
CUSTOMERS = "dim_customers"
STATE = "create table if not exists marts.published_version (version text, bank text, business_date date, sha256 text)"
COLUMNS = """
    select relname, attname, format_type(atttypid, atttypmod), coalesce(col_description(attrelid, attnum), '')
    from pg_attribute inner join pg_class on attrelid = pg_class.oid
    where relnamespace = to_regnamespace('marts') and relkind = 'r' and relname <> 'published_version'
        and attnum > 0 and not attisdropped
"""
TABLE_COMMENTS = (
    "select relname, obj_description(oid, 'pg_class') from pg_class where relnamespace = to_regnamespace('marts')"
)
OWN_ROWS = """
    create or replace view rm.{0} with (security_barrier) as
    select * from marts.{0}
    where customer_key in (
        select customer_key from marts.dim_customers where primary_rm_id = cast(current_user as text)
    )
"""


def database_in_environment(bank: str) -> str | None:
    """The serving database's URL, or None where there is none: files are then the only endpoint."""
    return os.environ.get(VARIABLE) or None


def serve(settings: Settings, address: str, switch_bank: bool = False) -> dict:
    """Bring the database to the live version and put it on record; returns what it serves, `is_new` when it had another.

    What is live is read while the database is locked: whoever comes late, a paused run too, brings the newest. Raises
    ServingFailed, also on record, when the database stays where it was: the files are live all the same.
    """
    try:
        with closing(connect(address, NAME)) as connection, connection:
            served = _follow(settings, connection, switch_bank)
    except (CrmWarehouseError, psycopg2.Error, duckdb.Error) as problem:
        reason = _sentence(problem, address)
        live = (live_version(settings) or {}).get("version")
        log.append(settings, "serving_failed", {"live": live, "reason": reason})
        raise ServingFailed(
            f"the files are live with {live}, but PostgreSQL stays at the version it had: {reason}; then"
            " `crm-warehouse serve`, or run again"
        ) from None
    if served["is_new"]:
        log.append(settings, "serving_followed", served)
    return served


def served_version(address: str) -> dict | None:
    """Which version the database serves; None when it never had one. Raises a sentence when it cannot be asked."""
    with closing(connect(address, NAME)) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('marts.published_version') is not null")
        return _state(cursor) if cursor.fetchone()[0] else None


def last_served(settings: Settings) -> dict | None:
    """What the log says last of a serving database: `event`, `at`, `body`; None when there never was one."""
    entries = [entry for entry in log.read_entries(settings) if str(entry.get("event")).startswith("serving_")]
    return entries[-1] if entries else None


def describe_serving(settings: Settings, address: str | None) -> dict | None:
    """For the status: what the serving database serves and whether that is the live version; None where there is none."""
    live = (live_version(settings) or {}).get("version")
    if not address:
        last = last_served(settings)
        if not last:
            return None
        served = last["body"].get("version")
        problem = last["body"].get("reason") or f"as of {last['at']}; {VARIABLE} is not set here, so it was not asked"
        return {"version": served, "is_live": served == live, "problem": problem}
    try:
        served = (served_version(address) or {}).get("version")
    except (CrmWarehouseError, psycopg2.Error) as problem:
        return {"version": None, "is_live": False, "problem": _sentence(problem, address)}
    return {"version": served, "is_live": served == live, "problem": None}


def _follow(settings: Settings, connection: extensions.connection, switch_bank: bool) -> dict:
    with connection.cursor() as cursor:
        # A publish that hangs must not keep the next one away for ever.
        cursor.execute("set local lock_timeout = '60s'; set local idle_in_transaction_session_timeout = '10min'")
        cursor.execute("select pg_advisory_xact_lock(hashtext('crm_warehouse serving'))")
        live = live_version(settings)
        _make_schemas(cursor)
        cursor.execute(STATE)
        held = _state(cursor)
        told = {name: live[name] for name in ("version", "bank", "business_date", "sha256")}
        if held == told:
            return {**told, "is_new": False}
        if held and held["bank"] != told["bank"] and not switch_bank:
            raise ServingFailed(f"it serves {held['bank']}; allow {told['bank']} with --switch-bank")
        prove_version(settings, live)
        with closing(open_locked(settings.published / live["file"])) as marts:
            described = describe_columns(marts)
            _shape(cursor, described)
            for mart, body in described.items():
                rows = _replace(cursor, marts, mart, list(body["columns"]))
                if rows != live["tables"][mart]["rows"]:
                    raise ServingFailed(f"{mart} came as {rows} rows, not as {live['tables'][mart]['rows']}")
            _comment(cursor, described)
            _serve_audiences(cursor, settings, live, described)
        cursor.execute("delete from marts.published_version")
        cursor.execute(
            "insert into marts.published_version values (%(version)s, %(bank)s, %(business_date)s, %(sha256)s)", told
        )
        return {**told, "is_new": True}


def _make_schemas(cursor: extensions.cursor) -> None:
    """Those that are not there: a bank may give them to the login instead of the right to make any."""
    for schema in ("marts", "rm", "restricted"):
        cursor.execute("select to_regnamespace(%s) is null", [schema])
        if cursor.fetchone()[0]:
            cursor.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))


def _state(cursor: extensions.cursor) -> dict | None:
    cursor.execute("select version, bank, cast(business_date as text), sha256 from marts.published_version")
    row = cursor.fetchone()
    return dict(zip(("version", "bank", "business_date", "sha256"), row, strict=True)) if row else None


def _shape(cursor: extensions.cursor, described: dict[str, dict]) -> None:
    """Give every table the version's columns: what is new is added, what is gone or retyped is dropped first."""
    cursor.execute(COLUMNS)
    found: dict[str, dict[str, str]] = {}
    for mart, column, type_, _ in cursor.fetchall():
        found.setdefault(mart, {})[column] = type_
    wanted = {
        mart: {name: _type(column["type"]) for name, column in body["columns"].items()}
        for mart, body in described.items()
    }
    if wanted == found:
        return
    # They stand on what changes, and are made again; default privileges in schema rm give their grants back.
    cursor.execute("select viewname from pg_views where schemaname = 'rm'")
    for (view,) in cursor.fetchall():
        cursor.execute(sql.SQL("drop view rm.{}").format(sql.Identifier(view)))
    for mart in sorted(set(found) - set(wanted)):
        cursor.execute(sql.SQL("drop table marts.{}").format(sql.Identifier(mart)))
    for mart, columns in wanted.items():
        have = found.get(mart, {})
        if have != columns:
            _change_columns(cursor, mart, have, columns)


def _change_columns(cursor: extensions.cursor, mart: str, have: dict[str, str], wanted: dict[str, str]) -> None:
    cursor.execute(sql.SQL("create table if not exists marts.{} ()").format(sql.Identifier(mart)))
    gone = [name for name in have if have[name] != wanted.get(name)]
    new = [name for name in wanted if wanted[name] != have.get(name)]
    changes = [sql.SQL("drop column {}").format(sql.Identifier(name)) for name in gone]
    changes += [sql.SQL("add column {} {}").format(sql.Identifier(name), sql.SQL(wanted[name])) for name in new]
    cursor.execute(sql.SQL("alter table marts.{} {}").format(sql.Identifier(mart), sql.SQL(", ").join(changes)))


def _type(duckdb_type: str) -> str:
    if duckdb_type.startswith("DECIMAL"):
        return duckdb_type.lower().replace("decimal", "numeric")
    return TYPES[duckdb_type]


def _replace(cursor: extensions.cursor, marts: duckdb.DuckDBPyConnection, mart: str, columns: list[str]) -> int:
    """All rows of a mart, by DELETE: TRUNCATE would show a reader of an older snapshot an empty table."""
    cursor.execute(sql.SQL("delete from marts.{}").format(sql.Identifier(mart)))
    return _copy(cursor, sql.Identifier("marts", mart), columns, marts.sql(f'from marts."{mart}"'))


def _copy(cursor: extensions.cursor, table: sql.Identifier, columns: list[str], rows: duckdb.DuckDBPyRelation) -> int:
    copied = 0
    command = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        table, sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    # Every text is quoted, null is nothing: so an empty text stays one.
    options = pyarrow.csv.WriteOptions(include_header=False)
    for batch in rows.to_arrow_reader(ROWS_A_BATCH):
        text = io.BytesIO()
        pyarrow.csv.write_csv(batch, text, options)
        text.seek(0)
        cursor.copy_expert(command, text)
        copied += cursor.rowcount
    return copied


def _comment(cursor: extensions.cursor, described: dict[str, dict]) -> None:
    """Descriptions, in English and Chinese, of what has another one."""
    cursor.execute(TABLE_COMMENTS)
    of_table = dict(cursor.fetchall())
    cursor.execute(COLUMNS)
    of_column = {(mart, column): comment for mart, column, _, comment in cursor.fetchall()}
    for mart, body in described.items():
        if of_table.get(mart) != body["description"]:
            statement = sql.SQL("comment on table marts.{} is {}")
            cursor.execute(statement.format(sql.Identifier(mart), sql.Literal(body["description"])))
        for column, attributes in body["columns"].items():
            if of_column[mart, column] != attributes["description"]:
                statement = sql.SQL("comment on column marts.{}.{} is {}")
                names = sql.Identifier(mart), sql.Identifier(column)
                cursor.execute(statement.format(*names, sql.Literal(attributes["description"])))


def _serve_audiences(cursor: extensions.cursor, settings: Settings, live: dict, described: dict[str, dict]) -> None:
    """An RM's own rows, and who a customer_key is. Both are of the same night: views on it, and its customers alone."""
    if CUSTOMERS not in described:
        cursor.execute("drop table if exists restricted.customer_ids")
        return
    for mart, body in described.items():
        if "customer_key" in body["columns"]:
            cursor.execute(sql.SQL(OWN_ROWS).format(sql.Identifier(mart)))
    cursor.execute(
        "create table if not exists restricted.customer_ids (customer_key text primary key, customer_id text not null)"
    )
    cursor.execute("delete from restricted.customer_ids")
    tokens = replace(settings, bank=live["bank"]).token_map
    with duckdb.connect() as connection:
        rows = connection.sql("select customer_key, customer_id from read_parquet(?)", params=[str(tokens)])
        _copy(cursor, sql.Identifier("restricted", "customer_ids"), ["customer_key", "customer_id"], rows)
    cursor.execute(
        "delete from restricted.customer_ids where customer_key not in (select customer_key from marts.dim_customers)"
    )


def _sentence(problem: Exception, address: str) -> str:
    """One line, without the password."""
    if isinstance(problem, errors.DependentObjectsStillExist):
        return (
            f"objects of your own stand on what the new version changes ({problem.diag.message_detail}):"
            " drop them, and make them again afterwards"
        )
    text = " ".join((str(problem).strip() or type(problem).__name__).split("\n"))
    try:
        secret = extensions.parse_dsn(address).get("password")
    except psycopg2.Error:
        secret = address
    return text.replace(secret, "***") if secret else text
