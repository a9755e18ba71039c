"""Canaries: every value of every personal field that a simulated bank sent, and where any of them turns up."""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
from simulated_files import EXTRACTS

WORD = re.compile(r"[\w@.+-]{2,}")
PART = re.compile(r"\w{2,}")
SHORTEST = {"customer_name": 2}  # of other fields, values of up to four characters are words of any text


def personal_values(everything: dict[str, pd.DataFrame]) -> set[str]:
    """Names, documents, phones, addresses and customer ids of everybody the bank knows."""
    return {
        value
        for name, (_, declared) in EXTRACTS.items()
        for column, attributes in declared["columns"].items()
        if attributes.get("personal") or column == "customer_id"
        for value in everything[name][column].dropna().unique()
        if len(value) >= SHORTEST.get(column, 5)
    }


def traces_in(folder: Path, personal: set[str], but: Collection[str] = ()) -> list[tuple[str, str]]:
    """Each file below `folder` that has a personal value, with the value; databases, archives and Parquet files are read.

    `but`: names of files that are not looked at.
    """
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.is_symlink())
    files = (file for file in files if file.name not in but)
    return [(str(file.relative_to(folder)), value) for file in files for value in sorted(personal & words_of(file))]


def words_of(file: Path) -> set[str]:
    """Words of all that can be read out of a file."""
    return {word for text in _texts(file.name, file) for word in _words(text)}


def _words(text: str) -> Iterator[str]:
    yield text
    for word in WORD.findall(text):
        yield word
        yield word.strip(".+-")
    yield from PART.findall(text)


def _texts(name: str, file: Path) -> Iterable[str]:
    if name.endswith(".duckdb"):
        with duckdb.connect(str(file), read_only=True) as connection:
            tables = connection.execute(
                "select '\"' || schema_name || '\".\"' || table_name || '\"' from duckdb_tables()"
            ).fetchall()
            return [text for (table,) in tables for text in _values(connection, f"from {table}")]
    if name.endswith(".parquet"):
        with duckdb.connect() as connection:
            return _values(connection, f"from read_parquet('{file}')")
    if name.endswith(".db"):
        with closing(sqlite3.connect(file)) as connection:
            return list(connection.iterdump())
    if name.endswith((".xlsx", ".zip")):
        with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
            return [archive.read(part).decode("utf-8", "ignore") for part in archive.namelist()]
    return [file.read_bytes().decode("utf-8", "ignore")]


def _values(connection: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    """Every text that stands in a table."""
    columns = connection.execute(f"describe {source}").fetchall()
    texts = [name for name, type_, *_ in columns if type_ == "VARCHAR"]
    return [
        text
        for name in texts
        for (text,) in connection.execute(f'select distinct "{name}" {source}').fetchall()
        if text is not None
    ]
