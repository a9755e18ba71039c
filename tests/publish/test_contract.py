"""The contract with BI: what is published is what is committed, and a break is announced before it can be."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import Run

from crm_warehouse.files import read_json
from crm_warehouse.publish import contract
from crm_warehouse.settings import PROJECT

CHANGELOG = "# Changelog\n\n## Unreleased\n\n| mart | column | old | new | breaking |\n|---|---|---|---|---|\n{}\n\n## 0.1.0\n\n{}\n"
OLD = {"version": "0.1.0", "marts": {"dim_a": {"a_key": "varchar", "n": "bigint"}, "fct_b": {"day": "date"}}}


def changed(version: str = "0.1.0", **marts: dict | None) -> dict:
    new = copy.deepcopy({**OLD, "version": version})
    new["marts"].update(marts)
    new["marts"] = {mart: columns for mart, columns in new["marts"].items() if columns is not None}
    return new


RETYPED = changed(dim_a={"a_key": "varchar", "n": "integer"})
BREAKS = {
    "column gone": (changed(dim_a={"a_key": "varchar"}), "| `dim_a` | `n` | number | | yes |"),
    "column renamed": (changed(dim_a={"a_key": "varchar", "m": "bigint"}), "| `dim_a` | `n`, `m` | n | m | yes |"),
    "type changed": (RETYPED, "| `dim_a` | `n` | bigint | integer | yes |"),
    "mart gone": (changed(fct_b=None), "| `fct_b` | all | | gone | yes |"),
}


def test_what_the_models_publish_is_what_is_committed():
    assert contract.problems(PROJECT) == []


def test_what_is_published_has_the_columns_and_types_of_the_contract(reference_run: Run):
    with duckdb.connect(str(reference_run.published_file), read_only=True) as connection:
        rows = connection.execute(
            "select table_name, column_name, lower(data_type) from duckdb_columns() where schema_name = 'marts'"
        ).fetchall()
    published: dict[str, dict[str, str]] = {}
    for mart, column, type_ in rows:
        published.setdefault(mart, {})[column] = type_
    assert published == read_json(contract.contract_path(PROJECT))["marts"]


def test_what_is_added_breaks_nothing():
    new = changed(dim_a={"a_key": "varchar", "n": "bigint", "more": "date"}, dim_c={"c": "varchar"})
    assert contract.breaks(OLD, new) == []
    assert contract.unexcused(OLD, new, CHANGELOG.format("", "")) == []


@pytest.mark.parametrize(("new", "line"), BREAKS.values(), ids=BREAKS)
def test_a_break_needs_both_a_line_that_says_yes_and_a_raised_version(new: dict, line: str):
    raised = {**new, "version": "0.2.0"}
    with_line, without = CHANGELOG.format(line, ""), CHANGELOG.format("", "")
    assert len(contract.unexcused(OLD, new, without)) == 2
    assert "Unreleased in CHANGELOG.md" in contract.unexcused(OLD, raised, without)[0]
    assert "raise `version`" in contract.unexcused(OLD, new, with_line)[0]
    assert contract.unexcused(OLD, raised, with_line) == []
    assert contract.breaks(OLD, raised)


@pytest.mark.parametrize(
    ("unreleased", "released"),
    [
        ("| `dim_a` | `n` | bigint | integer | no |", ""),
        ("| `dim_a` | `a_key` | bigint | integer | yes |", ""),
        ("| `fct_b` | `n` | bigint | integer | yes |", ""),
        ("| `dim_a` | every part | bigint | integer | yes |", ""),
        ("", "| `dim_a` | `n` | bigint | integer | yes |"),
    ],
)
def test_a_line_that_says_no_or_of_something_else_or_of_an_earlier_release_excuses_nothing(
    unreleased: str, released: str
):
    new = {**RETYPED, "version": "1.0.0"}
    assert contract.unexcused(OLD, new, CHANGELOG.format(unreleased, released))


@pytest.mark.parametrize(
    ("old", "new", "raised"),
    [
        ("0.1.0", "0.2.0", True),
        ("0.1.0", "0.1.1", False),
        ("0.9.0", "1.0.0", True),
        ("1.1.0", "1.2.0", False),
        ("1.9.0", "2.0.0", True),
        ("0.2.0", "0.1.0", False),
    ],
)
def test_a_version_is_raised_where_a_reader_sees_that_it_breaks(old: str, new: str, raised: bool):
    broken = {**RETYPED, "version": new}
    said = contract.unexcused({**OLD, "version": old}, broken, CHANGELOG.format("| `dim_a` | `n` | | | yes |", ""))
    assert (said == []) == raised


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the models and the contract, to change."""
    shutil.copytree(PROJECT / "dbt_project" / "models", tmp_path / "dbt_project" / "models")
    for name in ("dbt_project/dbt_project.yml", "dbt_project/contract.json", "CHANGELOG.md"):
        shutil.copy2(PROJECT / name, tmp_path / name)
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_renamed_column_fails_until_it_is_announced_and_written_anew(project: Path):
    models = project / "dbt_project" / "models" / "marts" / "customers" / "_customers.yml"
    edit(models, "- name: gender", "- name: sex")
    found = contract.problems(project)
    assert found[0].startswith("dim_customers.gender is gone")
    assert found[-1].endswith("run `make contract` and commit it")
    before = contract.contract_path(project).read_bytes()
    assert contract.write(project)
    assert contract.contract_path(project).read_bytes() == before
    version = contract.read_models(project)["version"]
    edit(project / "dbt_project" / "dbt_project.yml", f"version: {version}", "version: 99.0.0")
    edit(
        project / "CHANGELOG.md",
        "|---|---|---|---|---|\n",
        "|---|---|---|---|---|\n| `dim_customers` | `gender` | gender | sex | yes |\n",
    )
    assert contract.write(project) == []
    assert contract.problems(project) == []


def test_every_mart_has_a_reader_and_every_reader_an_owner():
    exposures = yaml.safe_load((PROJECT / "dbt_project/models/marts/exposures.yml").read_text(encoding="utf-8"))[
        "exposures"
    ]
    marts = set(contract.read_models(PROJECT)["marts"])
    read = {exposure["name"]: {ref[5:-2] for ref in exposure["depends_on"]} for exposure in exposures}
    assert read["bi"] == marts, "add the mart to the exposure `bi`"
    assert all(exposure["owner"]["name"] and exposure["description"] for exposure in exposures)
    with_keys = {mart for mart, columns in contract.read_models(PROJECT)["marts"].items() if "customer_key" in columns}
    assert read["relationship_managers"] == with_keys
