"""Who may see what: analysts tokens, a manager own customers, the restricted audience ids; and spreadsheets run nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest
from conftest import settings_in
from publish.candidates import flip_a_bit, publish_customers

from crm_warehouse.errors import PublishRefused
from crm_warehouse.evidence import log
from crm_warehouse.publish.exports import export
from crm_warehouse.publish.formulas import STARTS, neutralise, neutralised
from crm_warehouse.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path / "it's home")
    publish_customers(settings)
    return settings


def read(file: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def marts_in(file: Path) -> list[str]:
    return [name for (name,) in read(file, "select table_name from duckdb_tables() order by 1")]


def test_a_manager_gets_own_customers_and_dimensions_and_nothing_of_anybody_else(home: Settings):
    file, problem = export(home, "rm", "tester", "R00001")
    assert problem is None
    assert marts_in(file) == ["dim_customers", "dim_products", "fct_values"]
    assert read(file, "select customer_key from marts.dim_customers") == [("k1",), ("k2",)]
    assert read(file, "select customer_key from marts.fct_values") == [("k1",), ("k2",)]
    assert b"C1" not in file.read_bytes()
    assert b"k3" not in file.read_bytes()


def test_the_restricted_audience_gets_the_customer_id_beside_the_key_with_its_description(home: Settings):
    file, _ = export(home, "restricted", "tester")
    assert read(file, "from marts.fct_values limit 1")[0][:2] == ("k1", "C1")
    assert read(file, "select count(*), count(customer_id) from marts.dim_customers") == [(4, 4)]
    assert read(file, "from marts.fct_totals") == [(8,)]
    comments = dict(read(file, "select column_name, comment from duckdb_columns() where table_name = 'fct_values'"))
    assert comments["amount"] == "It's money. 金额。"
    assert "个人信息" in comments["customer_id"]


@pytest.mark.parametrize("as_csv", [False, True])
def test_an_export_is_readable_by_its_owner_only_and_replaces_the_one_before(home: Settings, as_csv: bool):
    export(home, "restricted", "tester", as_csv=not as_csv)
    target, _ = export(home, "restricted", "tester", as_csv=as_csv)
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    for path in (home.exports, target.parent, target, *(target.iterdir() if as_csv else [])):
        assert path.stat().st_mode & 0o077 == 0, path


def test_every_export_is_on_record(home: Settings):
    target, _ = export(home, "rm", "tester", "R00002")
    entry = log.read_entries(home)[-1]
    assert entry["event"] == "exported"
    assert entry["body"] == {
        "audience": "rm",
        "rm_id": "R00002",
        "version": target.stem,
        "by": "tester",
        "file": f"exports/rm/R00002/{target.name}",
    }


@pytest.mark.parametrize("rm_id", ["R9", "", "..", "R00001' or true --"])
def test_a_manager_whom_no_customer_has_is_refused_and_nothing_is_written(home: Settings, rm_id: str):
    with pytest.raises(PublishRefused, match="no customer has the relationship manager"):
        export(home, "rm", "tester", rm_id)
    assert not home.exports.exists()


def test_csv_texts_that_a_spreadsheet_would_run_are_made_plain_and_numbers_stay(home: Settings):
    folder, _ = export(home, "analyst", "tester", as_csv=True)
    assert (folder / "dim_customers.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (folder / "dim_customers.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["occupation_code"] for row in csv.DictReader(file)] == ["'=cmd()", "'-", "plain", ""]
    with (folder / "fct_values.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["amount"] for row in csv.DictReader(file)] == ["-1.50", "2.00", "3.00", "4.00"]
    assert sorted(path.stem for path in folder.iterdir()) == [
        "dim_customers",
        "dim_products",
        "fct_totals",
        "fct_values",
    ]


@pytest.mark.parametrize("start", STARTS)
def test_every_beginning_of_a_formula_is_made_plain_in_python_and_in_sql(start: str):
    texts = [f"{start}1", start, f"1{start}", "", "plain", "'x", " =1"]
    with duckdb.connect() as connection:
        in_sql = [
            connection.execute(
                f"select {neutralised(chr(34) + 't' + chr(34))} from (select ? as t)", [text]
            ).fetchone()[0]
            for text in [*texts, None]
        ]
    expected = [f"'{start}1", f"'{start}", f"1{start}", "", "plain", "'x", "' =1"]
    assert [neutralise(text) for text in texts] == expected
    assert in_sql == [*expected, None]


def test_an_export_of_a_damaged_version_is_of_the_one_before_and_says_so(home: Settings):
    file, _ = export(home, "rm", "tester", "R00001")
    live = home.published / f"{file.stem}.duckdb"
    flip_a_bit(live)
    with pytest.raises(PublishRefused, match="no published version is whole"):
        export(home, "rm", "tester", "R00001")
    assert file.is_file()
