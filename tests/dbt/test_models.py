"""The models' own unit tests: every boundary, in the engine, on rows written for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from conftest import LAST, Run, settings_in

from crm_warehouse.build import prove_models
from crm_warehouse.errors import BuildFailed
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.settings import PROJECT, Settings

DBT = PROJECT / "dbt_project"


@pytest.fixture
def built(reference_run: Run, tmp_path: Path) -> Settings:
    """A copy of a built warehouse."""
    settings = settings_in(tmp_path)
    shutil.copytree(reference_run.settings.warehouse, settings.warehouse)
    return settings


def test_every_unit_test_of_the_models_passes(built: Settings):
    files = [*DBT.glob("models/**/*.yml"), *DBT.glob(f"banks/{built.bank}/staging/*.yml")]
    written = [
        unit["name"]
        for file in files
        for unit in yaml.safe_load(file.read_text(encoding="utf-8")).get("unit_tests", [])
    ]
    assert len(set(written)) == len(written)
    assert prove_models(built, load_profile(built), LAST, silent) == len(written)


def test_a_model_that_says_something_else_is_named(built: Settings, tmp_path: Path):
    project = tmp_path / "project"
    shutil.copytree(DBT, project / "dbt_project")
    model = project / "dbt_project" / "models" / "intermediate" / "value" / "int_perk_lines.sql"
    model.write_text(model.read_text(encoding="utf-8").replace("sum(", "2 * sum("), encoding="utf-8")
    damaged = Settings(bank=built.bank, home=built.home, project=project, source_root=built.source_root)
    with pytest.raises(
        BuildFailed, match=r"1 of \d+ unit tests failed(.|\n)*programme_costs_each_month_with_at_least_a_day"
    ):
        prove_models(damaged, load_profile(damaged), LAST, silent)
