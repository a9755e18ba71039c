"""A simulated source in a database: its delimited files put into PostgreSQL, for `kind: postgresql` to read."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg2
import pyarrow as pa
import pyarrow.csv
from psycopg2 import sql

from crm_warehouse.errors import SettingsError
from crm_warehouse.extract import extract
from crm_warehouse.extract.delivery import SOURCE_ROW
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.simulator.deliveries import FORMATS

BUSINESS_DATE = "business_date"
# A numeric without a scale keeps the places that were written.
TYPES = {
    "text": "text",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "decimal": "numeric",
    "fraction": "numeric",
    "quantity": "numeric",
    "integer": "bigint",
    "boolean": "boolean",
}


def loadable(profile: Profile) -> list[str]:
    """The sources that can be loaded: those that write delimited files."""
    return [source for source in profile.sources if FORMATS[source][2]]


def load(dsn: str, root: Path, source: str, profile: Profile) -> int:
    """Put every delivery of a simulated source into tables of its own schema; gives the rows loaded.

    Schema = source, table = extract, columns typed by the profile, and `business_date`. What was in them is replaced,
    all in one transaction. SettingsError when the source writes no delimited files or the database does not answer.
    """
    if source not in loadable(profile):
        raise SettingsError(f"source {source} writes no delimited files; can load: {', '.join(loadable(profile))}")
    try:
        connection = psycopg2.connect(dsn)
    except psycopg2.Error as problem:  # its text may repeat the address
        raise SettingsError(
            f"the PostgreSQL given cannot be used ({type(problem).__name__}); correct the address or see to the server"
        ) from None
    try:
        with connection, connection.cursor() as cursor:  # ends the transaction, not the connection
            cursor.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(source)))
            return sum(_load_extract(cursor, profile, spec, root) for spec in profile.extracts_of(source))
    finally:
        connection.close()


def _load_extract(cursor: psycopg2.extensions.cursor, profile: Profile, spec: Extract, root: Path) -> int:
    """The table of one extract, made anew from all its files; gives its rows."""
    ending, encoding, delimiter = FORMATS[spec.source]
    file = f"{spec.source}/{{business_date}}/{{extract}}.{ending}"
    as_sent = replace(spec, kind="delimited", file=file, encoding=encoding, delimiter=delimiter, control=True)
    _create(cursor, spec)
    loaded = 0
    for day in sorted(date.fromisoformat(folder.name) for folder in (root / spec.source).iterdir() if folder.is_dir()):
        rows = extract(profile, as_sent, root, day).rows.drop_columns(SOURCE_ROW)
        _append(cursor, spec, rows, day)
        loaded += len(rows)
    return loaded


def _table(spec: Extract) -> sql.Identifier:
    return sql.Identifier(spec.source, spec.name)


def _create(cursor: psycopg2.extensions.cursor, spec: Extract) -> None:
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(TYPES[column.type])) for column in spec.columns
    ]
    columns.append(sql.SQL("{} date not null").format(sql.Identifier(BUSINESS_DATE)))
    cursor.execute(sql.SQL("drop table if exists {}").format(_table(spec)))
    cursor.execute(sql.SQL("create table {} ({})").format(_table(spec), sql.SQL(", ").join(columns)))
    cursor.execute(sql.SQL("create index on {} ({})").format(_table(spec), sql.Identifier(BUSINESS_DATE)))


def _append(cursor: psycopg2.extensions.cursor, spec: Extract, rows: pa.Table, day: date) -> None:
    """Copy one delivery in. In a file an empty field is no value, whatever its type."""
    dated = rows.append_column(BUSINESS_DATE, pa.array([day.isoformat()] * len(rows), pa.string()))
    written = io.BytesIO()
    pa.csv.write_csv(dated, written, pa.csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    written.seek(0)
    names = sql.SQL(", ").join(map(sql.Identifier, dated.column_names))
    command = sql.SQL("copy {} ({}) from stdin (format csv, force_null ({}))").format(_table(spec), names, names)
    cursor.copy_expert(command, written)
