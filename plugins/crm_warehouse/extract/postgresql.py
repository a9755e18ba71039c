"""Tables of a PostgreSQL replica: read by COPY as exact text, every extract of a source from one snapshot.

What is kept as the original is CSV in UTF-8 with a header, as the database writes it, in the order of the key: the
same state of a table gives the same bytes. In it NULL is nothing and an empty text is `""`; in the rows both are ''.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import errors, extensions, sql

from crm_warehouse.errors import ExtractError, SettingsError, SourceInterrupted
from crm_warehouse.extract import delimited, names
from crm_warehouse.extract.delivery import Delivery, HashingFile, Received, cut_off_of
from crm_warehouse.profile import Column, Extract, Profile

# The types of PostgreSQL that say just what a type of a profile says. A timestamp without a zone says no moment.
ACCEPTED = {
    "text": ("text", "character varying", "character"),
    "date": ("date",),
    "timestamp": ("timestamp with time zone",),
    "decimal": ("numeric",),
    "fraction": ("numeric",),
    "quantity": ("numeric",),
    "integer": ("bigint", "integer", "smallint"),
    "boolean": ("boolean",),
}
# Infinity stays in the text; the gate then says that it is no time. As a pattern it would become NULL in silence.
MOMENT = """
    case when isfinite({0})
        then replace(to_char({0} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z')
        else cast({0} as text) end
"""
COLUMNS = """
    select attname, format_type(atttypid, null) from pg_attribute
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""


@dataclass(frozen=True)
class Snapshot:
    """A read-only transaction in which nothing changes any more."""

    connection: extensions.connection = field(repr=False)
    name: str


@contextmanager
def open_snapshot(address: str, connection: str) -> Iterator[Snapshot]:
    """One snapshot of the database at `address` (a PostgreSQL URL), for all that is read in the context."""
    opened = connect(address, connection)
    try:
        opened.set_session(isolation_level="REPEATABLE READ", readonly=True)
        yield Snapshot(opened, connection)
    finally:
        opened.close()


def connect(address: str, connection: str) -> extensions.connection:
    """A connection to a PostgreSQL URL; what is raised names it `connection` and never repeats its password."""
    try:
        parameters = extensions.parse_dsn(address)
    except psycopg2.Error:  # its text repeats the address
        parameters = {}
    # A password with a bare / or @ spills into port or host, and from there into the driver's messages.
    spilt = "@" in parameters.get("host", "") or not parameters.get("port", "5432").isdigit()
    if not address.startswith(("postgresql://", "postgres://")) or not parameters or spilt:
        raise SettingsError(
            f"the address of connection {connection} is not postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
            " (percent-encode what is special in the password)"
        )
    try:
        opened = psycopg2.connect(**{"connect_timeout": 10, "application_name": "crm_warehouse", **parameters})
        opened.set_client_encoding("UTF8")
        return opened
    except psycopg2.Error as problem:
        reason = _first_line(problem)
        if parameters.get("password"):
            reason = reason.replace(parameters["password"], "***")
        if "authentication failed" in reason:  # trying on would lock the account
            raise ExtractError(f"{connection} refused the login ({reason}); renew the connection's password") from None
        raise SourceInterrupted(
            f"{connection} cannot be reached ({reason}); see to the database, then run again"
        ) from None


def read(profile: Profile, spec: Extract, snapshot: Snapshot, business_date: date, folder: Path) -> Delivery:
    """The rows of one table, those of the business date where the table has one.

    Raises SourceInterrupted when the connection breaks off: what it showed until then counts for nothing.
    """
    place = f"{snapshot.name}: {'.'.join(spec.relation)} of {business_date}"
    original = folder / f"{spec.name}.csv"
    try:
        with original.open("wb") as file, snapshot.connection.cursor() as cursor:
            cursor.execute("set local datestyle to 'ISO'")
            _match_columns(cursor, spec, place)
            control = _count(cursor, spec, business_date)
            copied = HashingFile(file)
            _copy(cursor, spec, business_date, copied)
    except errors.InsufficientPrivilege:
        raise ExtractError(f"{place} may not be read by this login; grant it select") from None
    except psycopg2.Error as problem:
        # A server that goes away in the middle of COPY is a bare DatabaseError without a code.
        if isinstance(problem, psycopg2.OperationalError | psycopg2.InterfaceError) or not problem.pgcode:
            raise SourceInterrupted(f"{place} broke off ({_first_line(problem)}); run again") from None
        raise ExtractError(
            f"{place} cannot be read ({type(problem).__name__}); see to the table, then run again"
        ) from None
    received = Received(
        place=place,
        file=original.name,
        original=original,
        size=copied.size,
        sha256=copied.sha256,
        business_date=business_date,
        sequence=None,
        received_at=cut_off_of(profile, business_date),
        control=control,
        witness="the database",
    )
    return delimited.parse(spec, received, original, ",")


def _match_columns(cursor: Any, spec: Extract, place: str) -> None:
    """The table must have the profile's columns and no others, each of a type that means the same."""
    cursor.execute(COLUMNS, [sql.Identifier(*spec.relation).as_string(cursor)])
    found = dict(cursor.fetchall())
    if not found:
        raise ExtractError(
            f"{place} does not exist or is hidden from this login; correct the profile's table or grant it"
        )
    expected = {column.name: (column.type, ACCEPTED[column.type]) for column in spec.columns}
    if spec.business_date_column:
        expected.setdefault(spec.business_date_column, ("date", ACCEPTED["date"]))
    missing, extra = [n for n in expected if n not in found], [n for n in found if n not in expected]
    if missing or extra:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has {names.unknown(extra, is_header=True)}"] if extra else []
        raise ExtractError(f"{place} {' and '.join(parts)}; its columns must match the profile exactly")
    for name, (type_, accepted) in expected.items():
        if found[name] not in accepted:
            raise ExtractError(
                f"{place}: column {name} is {found[name]}; the profile says {type_}, which is {' or '.join(accepted)}"
            )


def _count(cursor: Any, spec: Extract, business_date: date) -> dict[str, str]:
    """How many rows the database has, and the totals, by its own count in the same snapshot."""
    totals = [column.name for column in spec.columns if column.control_total]
    sums = [sql.SQL(", coalesce(sum({}), 0)::text").format(sql.Identifier(name)) for name in totals]
    query = sql.SQL("select count(*)::text{} from {}").format(sql.Composed(sums), _rows(spec, business_date))
    cursor.execute(query)
    return dict(zip(["rows", *(f"total_{name}" for name in totals)], cursor.fetchone(), strict=True))


def _copy(cursor: Any, spec: Extract, business_date: date, target: HashingFile) -> None:
    """Write the rows as CSV. Sorted by the bytes of every column, keys first, whatever the database's own order of text is."""
    in_key_order = sorted(spec.columns, key=lambda column: not column.key)
    query = sql.SQL(
        "copy (select {} from (select {} from {}) as texts order by {}) to stdout (format csv, header)"
    ).format(
        sql.SQL(", ").join(sql.Identifier(column.name) for column in spec.columns),
        sql.SQL(", ").join(_text_of(column) for column in spec.columns),
        _rows(spec, business_date),
        sql.SQL(", ").join(sql.SQL('{} collate "C"').format(sql.Identifier(column.name)) for column in in_key_order),
    )
    cursor.copy_expert(query, target)


def _rows(spec: Extract, business_date: date) -> sql.Composable:
    table = sql.Identifier(*spec.relation)
    if not spec.business_date_column:
        return table
    return sql.SQL("{} where {} = {}").format(
        table, sql.Identifier(spec.business_date_column), sql.Literal(business_date)
    )


def _text_of(column: Column) -> sql.Composable:
    """A column as it would stand in a delimited file."""
    name = sql.Identifier(column.name)
    text = sql.SQL(MOMENT if column.type == "timestamp" else "cast({0} as text)").format(name)
    return sql.SQL("{} as {}").format(text, name)


def _first_line(problem: psycopg2.Error) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
