"""What a table holds, as one hash that depends on neither row order nor engine.

A row is its values in column order, each as `<number of characters>:<text>`, null as `-`; decimals are written with all
their places, dates and timestamps as ISO (microseconds), booleans as true/false. The hash adds up the rows' SHA-256 in four 64-bit lanes (an equal row
twice counts twice) and hashes the sums with the row count and the names and types of the columns.
"""

from __future__ import annotations

import hashlib

import duckdb

LANES = 4
TEXT_OF_TYPE = {
    "DATE": "strftime({}, '%Y-%m-%d')",
    "TIMESTAMP": "strftime({}, '%Y-%m-%dT%H:%M:%S.%f')",
    "BOOLEAN": "cast({} as varchar)",
    "VARCHAR": "{}",
    "INTEGER": "cast({} as varchar)",
    "BIGINT": "cast({} as varchar)",
}


def describe_tables(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, dict]:
    """`{table: {rows, content_hash}}` of every table in `schema`, by name."""
    query = "select table_name from information_schema.tables where table_schema = ? order by 1"
    tables = [name for (name,) in connection.execute(query, [schema]).fetchall()]
    return {table: _describe(connection, schema, table) for table in tables}


def _describe(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict:
    query = (
        "select column_name, data_type from information_schema.columns"
        " where table_schema = ? and table_name = ? order by ordinal_position"
    )
    columns = connection.execute(query, [schema, table]).fetchall()
    values = [_text(name, type_) for name, type_ in columns]
    row = " || ".join(f"coalesce(length({value}) || ':' || {value}, '-')" for value in values)
    lanes = ", ".join(
        f"sum(cast('0x' || substr(digest, {1 + 16 * lane}, 16) as ubigint)) % 18446744073709551616"
        for lane in range(LANES)
    )
    rows, *sums = connection.execute(
        f'select count(*), {lanes} from (select sha256({row}) as digest from "{schema}"."{table}")'
    ).fetchone()
    body = [*(f"{name} {type_}" for name, type_ in columns), str(rows), *(str(int(total or 0)) for total in sums)]
    return {"rows": rows, "content_hash": hashlib.sha256("\n".join(body).encode("utf-8")).hexdigest()}


def _text(name: str, type_: str) -> str:
    quoted = f'"{name}"'
    if type_.startswith("DECIMAL"):
        return f"cast({quoted} as varchar)"
    # A KeyError here is a mart column of a type whose text would differ between engines (a double, a list).
    return TEXT_OF_TYPE[type_].format(quoted)
