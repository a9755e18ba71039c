"""The Parquet set: the same rows and descriptions as the version's file, and the same bytes for the same content."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from conftest import settings_in
from publish.candidates import flip_a_bit, publish, publish_customers, write_candidate_of

from crm_warehouse.errors import PublishRefused
from crm_warehouse.files import read_json, sha256_of
from crm_warehouse.publish.parquet import prove_set, write_parquet_set
from crm_warehouse.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "it's home")


def test_every_mart_is_a_file_of_the_version_with_its_rows_and_types(home: Settings):
    live = publish_customers(home)
    folder = home.published / live["version"]
    assert {path.name for path in folder.iterdir()} == {f"{mart}.parquet" for mart in live["tables"]} | {"columns.json"}
    with duckdb.connect(str(home.published / live["file"]), read_only=True) as connection:
        for mart in live["tables"]:
            of_file = connection.sql(f"from marts.{mart}")
            of_parquet = duckdb.read_parquet(str(folder / f"{mart}.parquet"))
            assert of_parquet.fetchall() == of_file.fetchall()
            assert (of_parquet.columns, of_parquet.types) == (of_file.columns, of_file.types)


def test_descriptions_are_in_the_files_and_in_the_dictionary_beside_them(home: Settings):
    folder = home.published / publish_customers(home)["version"]
    metadata = pq.read_metadata(folder / "fct_values.parquet").metadata
    assert metadata[b"description"].decode() == "Values. 价值。"
    assert json.loads(metadata[b"columns"])["amount"] == "It's money. 金额。"
    assert read_json(folder / "columns.json")["fct_values"] == {
        "description": "Values. 价值。",
        "columns": {
            "customer_key": {"type": "VARCHAR", "description": ""},
            "amount": {"type": "DECIMAL(18,2)", "description": "It's money. 金额。"},
        },
    }


def test_columns_are_compressed_by_zstd_and_files_are_read_only(home: Settings):
    folder = home.published / publish_customers(home)["version"]
    group = pq.read_metadata(folder / "fct_values.parquet").row_group(0)
    assert {group.column(n).compression for n in range(group.num_columns)} == {"ZSTD"}
    assert all(path.stat().st_mode & 0o222 == 0 for path in folder.iterdir())


def test_the_same_content_makes_the_same_bytes_in_another_database_file(home: Settings, tmp_path: Path):
    """More rows than a row group has, written by engines of different numbers of threads."""
    select = "select i as n, md5(cast(i as varchar)) as text, cast(i as decimal(18, 2)) as amount from range(300000) as t (i)"
    written = []
    for number, threads in enumerate((1, 4)):
        statements = [f"set threads = {threads}", f"create table marts.a as {select} order by n"]
        file, _ = write_candidate_of(home, statements, "run")
        written.append(write_parquet_set(file, tmp_path / str(number)))
    assert written[0] == written[1]
    assert pq.read_metadata(tmp_path / "0" / "a.parquet").num_row_groups > 1


def test_the_set_is_there_before_the_pointer_names_it_and_the_pointer_knows_its_bytes(home: Settings):
    live = publish(home, 1)
    folder = home.published / live["version"]
    assert live["parquet"] == {path.name: sha256_of(path) for path in folder.iterdir()}
    prove_set(folder, live["parquet"])


@pytest.mark.parametrize("damage", ["bit", "missing", "added", "folder"])
def test_a_set_that_is_not_as_published_is_found(home: Settings, damage: str):
    live = publish(home, 1)
    folder = home.published / live["version"]
    if damage == "bit":
        flip_a_bit(folder / "a.parquet")
    elif damage == "missing":
        (folder / "a.parquet").unlink()
    elif damage == "added":
        (folder / "c.parquet").touch()
    else:
        folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(PublishRefused, match="run again or roll back"):
        prove_set(folder, live["parquet"])
