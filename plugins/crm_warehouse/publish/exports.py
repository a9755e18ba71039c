"""Files for one audience, on demand, of the version that is live: personal rows lie only where somebody asked for them.

exports/analyst/<version>          the published marts, tokens only, as CSV
exports/rm/<RM_ID>/<version>       customers whose primary relationship manager this is, tokens only, and the bank's dimensions
exports/restricted/<version>       every mart, `customer_id` beside `customer_key`

Each is a DuckDB file or a folder of CSV files, readable by its owner only; the one before it of the same audience goes.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow.csv

from crm_warehouse.errors import PublishRefused
from crm_warehouse.evidence import log
from crm_warehouse.files import sync
from crm_warehouse.publish.candidate import SCHEMA
from crm_warehouse.publish.formulas import neutralised
from crm_warehouse.publish.opening import open_live
from crm_warehouse.publish.parquet import describe_columns
from crm_warehouse.settings import Settings, safe_name
from crm_warehouse.sql_text import as_text

ROWS_A_BATCH = 100_000
CUSTOMER_ID = (
    "Customer id of the bank; personal, for the restricted audience only. 行内客户号；个人信息，仅限受限用户。"
)
OWN = "m.customer_key in (select customer_key from source.marts.dim_customers where primary_rm_id = {})"


def export(
    settings: Settings, audience: str, by: str, rm_id: str | None = None, as_csv: bool = False
) -> tuple[Path, str | None]:
    """Write an audience's file; returns where it is, and the problem when an earlier version had to be taken.

    `audience`: analyst, rm (with `rm_id`) or restricted. On record before it has its name; raises PublishRefused.
    """
    opened = open_live(settings)
    with opened.connection as connection:
        described = describe_columns(connection)
        if audience == "rm":
            _refuse_unknown(connection, rm_id)
    version = opened.version["version"]
    folder = settings.exports / audience / (rm_id or "")
    _make_private(settings.exports, folder)
    target, temporary = folder / (version if as_csv else f"{version}.duckdb"), folder / ".writing.tmp"
    _remove(temporary)
    with duckdb.connect() as connection:
        connection.execute(f"attach {as_text(settings.published / opened.version['file'])} as source (read_only)")
        selects = _selects(settings, opened.version, described, audience, rm_id)
        if as_csv:
            temporary.mkdir(mode=0o700)
            _write_csv(connection, selects, temporary)
        else:
            _write_database(connection, selects, described, temporary)
    log.append(
        settings,
        "exported",
        {
            "audience": audience,
            "rm_id": rm_id,
            "version": version,
            "by": by,
            "file": str(target.relative_to(settings.home)),
        },
    )
    for earlier in folder.glob("marts_*"):
        _remove(earlier)
    temporary.rename(target)
    sync(folder)
    return target, opened.problem


def _refuse_unknown(connection: duckdb.DuckDBPyConnection, rm_id: str) -> None:
    found = connection.execute("select count(*) from marts.dim_customers where primary_rm_id = ?", [rm_id]).fetchone()[
        0
    ]
    if not found:
        raise PublishRefused(
            f"no customer has the relationship manager '{rm_id}' in the live version: nothing to export"
            " (ids are in dim_customers.primary_rm_id)"
        )
    if safe_name(rm_id) != rm_id or rm_id.startswith("."):
        raise PublishRefused(
            f"the relationship manager's id '{rm_id}' cannot be a folder's name: give it letters, digits, _ . or -"
        )


def _selects(settings: Settings, version: dict, described: dict, audience: str, rm_id: str | None) -> dict[str, str]:
    """For each mart that the audience may see, the query of its rows, in the published order."""
    tokens = replace(settings, bank=version["bank"]).token_map
    selects = {}
    for mart, body in described.items():
        is_of_customers = "customer_key" in body["columns"]
        columns, source, where = "m.*", f'source.{SCHEMA}."{mart}" as m', "true"
        if audience == "restricted" and is_of_customers:
            columns = ", ".join(
                f'm."{name}"' + (", ids.customer_id" if name == "customer_key" else "") for name in body["columns"]
            )
            source += f" left join read_parquet({as_text(tokens)}) as ids on m.customer_key = ids.customer_key"
        elif audience == "rm" and is_of_customers:
            where = OWN.format(as_text(rm_id))
        elif audience == "rm" and not mart.startswith("dim_"):
            continue  # totals of the bank, of branches, of other managers
        selects[mart] = f"select {columns} from {source} where {where} order by m.rowid"
    return selects


def _write_database(
    connection: duckdb.DuckDBPyConnection, selects: dict[str, str], described: dict, file: Path
) -> None:
    before = os.umask(0o077)  # DuckDB makes the file itself
    try:
        connection.execute(f"attach {as_text(file)} as target")
    finally:
        os.umask(before)
    connection.execute(f"create schema target.{SCHEMA}")
    for mart, query in selects.items():
        table = f'target.{SCHEMA}."{mart}"'
        connection.execute(f"create table {table} as {query}")
        comments = {name: column["description"] for name, column in described[mart]["columns"].items()}
        comments |= {"customer_id": CUSTOMER_ID} if "ids.customer_id" in query else {}
        connection.execute(f"comment on table {table} is {as_text(described[mart]['description'])}")
        for name, text in comments.items():
            connection.execute(f'comment on column {table}."{name}" is {as_text(text)}')
    connection.execute("detach target")
    sync(file)


def _write_csv(connection: duckdb.DuckDBPyConnection, selects: dict[str, str], folder: Path) -> None:
    """UTF-8 with a byte-order mark, as spreadsheets want it; texts that they would run are made plain."""
    for mart, query in selects.items():
        rows = connection.sql(query)
        plain = [
            f"{neutralised(_name(name))} as {_name(name)}" if str(type_) == "VARCHAR" else _name(name)
            for name, type_ in zip(rows.columns, rows.types, strict=True)
        ]
        batches = rows.project(", ".join(plain)).to_arrow_reader(ROWS_A_BATCH)
        file = folder / f"{mart}.csv"
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as opened:
            opened.write(b"\xef\xbb\xbf")
            with pyarrow.csv.CSVWriter(opened, batches.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
        sync(file)


def _make_private(top: Path, folder: Path) -> None:
    for path in (*reversed([p for p in folder.parents if p.is_relative_to(top)]), folder):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.with_name(path.name + ".wal").unlink(missing_ok=True)


def _name(column: str) -> str:
    return f'"{column}"'
