"""The Parquet set of a version: one file a mart, described inside and in `columns.json` beside them.

published/<version>/<mart>.parquet
published/<version>/columns.json    {mart: {description, columns: {column: {type, description}}}}
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb

from crm_warehouse.errors import PublishRefused
from crm_warehouse.files import json_text, sha256_of, sync, sync_all
from crm_warehouse.publish.candidate import SCHEMA
from crm_warehouse.sql_text import as_text

DICTIONARY = "columns.json"


def describe_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict]:
    """`{mart: {description, columns: {column: {type, description}}}}`, as the file's comments say, columns in their order."""
    tables = connection.execute(
        "select table_name, coalesce(comment, '') from duckdb_tables() where schema_name = ? order by 1", [SCHEMA]
    ).fetchall()
    columns = connection.execute(
        "select table_name, column_name, data_type, coalesce(comment, '') from duckdb_columns()"
        " where schema_name = ? order by table_name, column_index",
        [SCHEMA],
    ).fetchall()
    found = {table: {"description": comment, "columns": {}} for table, comment in tables}
    for table, column, type_, comment in columns:
        found[table]["columns"][column] = {"type": type_, "description": comment}
    return found


def write_parquet_set(database: Path, folder: Path) -> dict[str, str]:
    """Write every mart of `database` into `folder`, anew; returns `{file: sha256}`. On disk when it returns.

    One thread writes, so that the same rows always make the same row groups and bytes.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with duckdb.connect(str(database), read_only=True, config={"threads": 1}) as connection:
        described = describe_columns(connection)
        for mart, body in described.items():
            comments = {
                "description": body["description"],
                "columns": json.dumps(
                    {name: column["description"] for name, column in body["columns"].items()}, ensure_ascii=False
                ),
            }
            said = ", ".join(f"{name}: {as_text(text)}" for name, text in comments.items())
            connection.execute(
                f'copy {SCHEMA}."{mart}" to {as_text(folder / f"{mart}.parquet")}'
                f" (format parquet, compression zstd, kv_metadata {{{said}}})"
            )
    (folder / DICTIONARY).write_text(json_text(described), encoding="utf-8")
    files = sorted(folder.iterdir())
    for file in files:
        file.chmod(0o444)
    sync_all(files)
    sync(folder)
    return {file.name: sha256_of(file) for file in files}


def prove_set(folder: Path, files: dict[str, str]) -> None:
    """Raise PublishRefused unless `folder` holds just these files, each with its sha256."""
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if found != set(files):
        raise PublishRefused(
            f"{folder} does not hold the files that were published"
            f" ({', '.join(sorted(found ^ set(files)))}); run again or roll back"
        )
    for name, sha256 in files.items():
        if sha256_of(folder / name) != sha256:
            raise PublishRefused(
                f"{folder / name} is not the file that was published (its sha256 differs); run again or roll back"
            )
