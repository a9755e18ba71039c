"""The validation history: every run's verdicts, those of failed runs too, with trends that a second working-out confirms."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import Run, settings_in
from recomputation.quality_results import RUNS_TOLD, quality_results

from crm_warehouse.evidence.quality_results import gather, keep, quality_results_path
from crm_warehouse.files import write_json
from crm_warehouse.quality.gate import GateResult, RuleResult
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings

MART, KEYS = "fct_quality_results", ("run_id", "gate", "rule_id")
WAIVER = {"number": 4, "asked_by": "Li Na", "approved_by": "Wang Fang", "expires_on": "2026-07-31"}


def rule(id: str, severity: str) -> dict:
    texts = {"name_en": f"{id} holds", "name_zh": f"{id} 成立", "dimension": "validity", "table": id.split(".")[0]}
    return {"id": id, "severity": severity, **texts}


def keep_run(settings: Settings, number: int, draw: random.Random, gates: tuple[str, ...] = ("landing", "mart")) -> str:
    """A run that ended with so many gates, as the pipeline leaves it; some rules exist in some runs only."""
    run_id, began = f"run {number:03d}", datetime(2026, 1, 1, 20) + timedelta(days=number)
    plan = {"run_id": run_id, "bank": settings.bank, "started_at": began.isoformat() + "+00:00"}
    day = began.date().isoformat()
    write_json(settings.run_folder(run_id) / "plan.json", {**plan, "business_dates": [day], "as_of": day})
    for gate in gates:
        rules = [rule(f"t{n % 3}.rule_{n}", ("block", "quarantine", "warn")[n % 3]) for n in range(9)]
        results = []
        for checked in draw.sample(rules, 8):
            status = draw.choices(("passed", "failed", "waived", "error"), (12, 2, 1, 1))[0]
            bad = draw.randrange(1, 9) if status in ("failed", "waived") else 0
            waiver = WAIVER if status == "waived" else None
            results.append(RuleResult(checked, status, draw.randrange(0, 9), bad, waiver=waiver))
        verdict = GateResult(gate, 8, results)
        write_json(settings.run_folder(run_id) / f"{gate}_gate.json", verdict.to_json())
        keep(settings.run_folder(run_id), {**plan, "business_dates": [day], "as_of": day}, verdict)
    return run_id


def told(settings: Settings, run: Run) -> dict[tuple, dict]:
    """The mart of these runs by the project's own SQL, as dbt compiled it for a real run."""
    ours, theirs = str(gather(settings)), str(quality_results_path(run.settings))
    models = CompiledModels(run.settings.warehouse / "dbt" / "manifest.json", {theirs: ours})
    with models.scratch() as scratch:
        models.run(scratch, [MART], [])
        found = scratch.execute(f"select * from {models.relation(MART)}")
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {tuple(row.pop(key) for key in KEYS): row for row in rows}


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


def test_trends_of_many_runs_equal_a_second_working_out(reference_run: Run, home: Settings):
    draw = random.Random(1)
    for number in range(RUNS_TOLD + 5):
        # Every seventh was stopped by its landing gate.
        keep_run(home, number, draw, ("landing",) if number % 7 == 0 else ("landing", "mart"))
    last = keep_run(home, RUNS_TOLD + 5, draw, ("landing",))
    found = told(home, reference_run)
    assert found == quality_results(home.evidence, home.bank, last)
    assert len({run_id for run_id, _, _ in found}) == RUNS_TOLD
    assert {row["status"] for row in found.values()} == {"passed", "failed", "waived", "error"}
    assert max(row["runs_since_failure"] or 0 for row in found.values()) > 3


def test_a_first_run_tells_its_landing_gate_and_has_nothing_to_compare_with(reference_run: Run, home: Settings):
    keep_run(home, 1, random.Random(2), ("landing",))
    found = told(home, reference_run)
    assert len(found) == 8
    assert all(row["previous_failed_ratio"] is None and row["runs_of_28"] == 1 for row in found.values())


def test_before_any_run_there_is_nothing_to_tell(reference_run: Run, home: Settings):
    assert told(home, reference_run) == {}


def test_a_run_that_is_started_again_is_told_once_and_another_bank_s_not_at_all(reference_run: Run, home: Settings):
    run_id = keep_run(home, 1, random.Random(3))
    keep_run(home, 1, random.Random(4))
    keep_run(settings_in(home.home, "eagle_bank"), 2, random.Random(5))
    found = told(home, reference_run)
    assert {key[0] for key in found} == {run_id} and len(found) == 16


def test_a_run_leaves_the_verdicts_of_both_gates_as_rows(reference_run: Run):
    folder = reference_run.settings.run_folder("reference")
    for gate in ("landing", "mart"):
        results = reference_run.summary["results"][f"{gate}_gate"]["results"]
        with duckdb.connect() as connection:
            rows = connection.execute(
                "select rule_id, status, failed_rows from read_parquet(?)", [str(folder / f"{gate}_gate.parquet")]
            ).fetchall()
        assert rows == [(r["rule"]["id"], r["status"], r["failed_rows"]) for r in results]
