"""The small version of `make bench`: the floor gives the published rows, and the models' SQL costs no more than so many floors."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from conftest import LAST, Run

from benchmarks.dashboards import QUESTIONS, time_dashboards
from benchmarks.day_figures import draw, goals_of
from benchmarks.day_floor import compare_with_published, compute_floor
from benchmarks.day_profile import profile_build
from benchmarks.day_steps import CORE, MODELS_OF_CORE, PHASES
from crm_warehouse.replay import CompiledModels

MOST_FLOORS = 4  # of processor time; measured 1.4, and a guard must not fail because the machine is busy


@pytest.fixture(scope="module")
def floor(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The floor's database, and the processor seconds it took."""
    database = tmp_path_factory.mktemp("floor") / "floor.duckdb"
    began = time.process_time()
    compute_floor(reference_run.settings, LAST, database)
    return database, time.process_time() - began


def test_the_floor_gives_the_published_rows(reference_run: Run, floor: tuple[Path, float]) -> None:
    found = compare_with_published(reference_run.settings, floor[0])
    assert set(found) == set(CORE) and all(mart["rows"] for mart in found.values())
    assert {mart for mart, rows in found.items() if rows["rows_differing"]} == set()


def test_the_models_cost_so_many_floors_at_most(reference_run: Run, floor: tuple[Path, float]) -> None:
    models = CompiledModels(reference_run.settings.warehouse / "dbt" / "manifest.json")
    with models.scratch() as connection:
        connection.execute("set threads = 2; set preserve_insertion_order = false; set TimeZone = 'UTC'")
        began = time.process_time()
        models.run(connection, MODELS_OF_CORE, ())
        seconds = time.process_time() - began
    assert seconds <= MOST_FLOORS * floor[1], f"{seconds:.1f} s, the floor {floor[1]:.1f} s"


def test_every_dashboard_question_finds_rows(reference_run: Run) -> None:
    found = time_dashboards(reference_run.settings)
    assert found["questions"] == len(QUESTIONS) == 20
    assert found["empty"] == []


def test_the_profile_names_what_is_slow(reference_run: Run) -> None:
    found = profile_build(reference_run.settings.warehouse / "dbt")
    assert len(found["slowest_models"]) == len(found["slowest_tests"]) == 10
    assert found["kinds"]["marts tables"]["nodes"] > 30


def test_goals_say_what_is_missed_and_the_chart_has_every_size() -> None:
    cost = {"seconds": 10.0, "cpu_seconds": 5.0, "peak_gib": 1.0}
    result = {
        "at": date(2026, 1, 1).isoformat(),
        "customers": 1000,
        "phases": dict.fromkeys(PHASES, cost),
        "beside": {"floor": {"seconds": 5.0, "cpu_seconds": 5.0}, "dashboards": {"p95_ms": 20.0}},
        "airflow": {"seconds": 75.0},
    }
    goals = {goal["goal"].split(" (")[0]: (goal["found"], goal["is_met"]) for goal in goals_of(result, 300)}
    assert goals["build <= 1.5 x floor"] == (2.0, False)
    assert goals["whole day <= 3 x floor"] == (12.0, False)
    assert goals["gates <= 0.3 x build"] == (2.0, False)
    assert goals["dashboards p95 <= 300 ms"] == (20.0, True)
    assert goals["Airflow's overhead <= 30 s"] == (15.0, True)
    drawn = draw([result, {**result, "customers": 2000}])
    assert drawn.startswith("<svg") and "1,000 customers" in drawn and "2,000 customers" in drawn
