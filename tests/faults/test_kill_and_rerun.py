"""Kill -9 at any moment, land in any order: a plain re-run ends in the same content, and readers never notice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest
from conftest import FIRST, LAST, Run
from faults.homes import (
    copy_of,
    hashes_of,
    home_with_key_of,
    kill_when,
    landed_batches,
    last_finished,
    start_run,
)

from benchmarks.crash_points import processes_below
from crm_warehouse import pipeline
from crm_warehouse.errors import CrmWarehouseError
from crm_warehouse.evidence import log
from crm_warehouse.extract import extract
from crm_warehouse.files import read_json, write_json
from crm_warehouse.landing import land
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings

Moment = Callable[[], bool]
HALF_WAY, AFTER_HALF = date(2026, 6, 15), date(2026, 6, 16)


def run_here(settings: Settings, run_id: str, first: date = FIRST, last: date = LAST) -> dict:
    return pipeline.run(settings, run_id, first, last, False, lambda step: silent)


def end_of_group(group: int, within: float = 60) -> None:
    """Wait until what the killed process had started has gone."""
    deadline = time.monotonic() + within
    while processes_below(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_below(group) == []


def readable(settings: Settings) -> bool:
    """Whether what is live, if anything is, can be read as it was audited."""
    live = versions.live_version(settings)
    if live is None:
        return True
    with duckdb.connect(str(settings.published / live["file"]), read_only=True) as connection:
        return all(
            connection.execute(f"select count(*) from marts.{name}").fetchone()[0] == table["rows"]
            for name, table in live["tables"].items()
        )


@pytest.fixture(scope="module")
def half_way(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A home in which the first half of the range is live."""
    settings = home_with_key_of(reference_run, tmp_path_factory.mktemp("half_way"))
    return Run(settings, run_here(settings, "first half", FIRST, HALF_WAY))


def test_a_run_killed_again_and_again_leaves_the_old_version_and_converges(
    reference_run: Run, half_way: Run, tmp_path: Path
):
    settings = copy_of(half_way, tmp_path / "home")
    old, landed = versions.live_version(settings), landed_batches(settings)
    moments: list[Moment] = [
        lambda: landed_batches(settings) > landed + 20,
        (settings.warehouse / "landing_gate.duckdb").is_file,
        (settings.warehouse / "warehouse.duckdb.wal").is_file,
    ]  # what comes after the build is killed at each of its file operations in test_crash_points
    for number, moment in enumerate(moments):
        # A file of the attempt before would be taken for this one's.
        (settings.warehouse / "landing_gate.duckdb").unlink(missing_ok=True)
        process = start_run(settings, f"killed_{number}", AFTER_HALF, LAST)
        assert kill_when(process, moment), process.stderr.read()
        process.stderr.close()
        assert versions.live_version(settings) == old, number
        assert readable(settings), number
        assert log.verify(settings) is None, number
    assert run_here(settings, "plain", AFTER_HALF, LAST)["outcome"] == "published"
    assert hashes_of(settings) == hashes_of(reference_run.settings)
    assert readable(settings)
    assert log.verify(settings) is None
    assert last_finished(settings)["run_id"] == "plain"
    assert not any((settings.landing / ".arriving").glob("*"))
    assert list(settings.published.glob(".marts_*")) == []


def test_a_range_split_in_two_runs_ends_in_the_same_content_as_one_run(
    reference_run: Run, half_way: Run, tmp_path: Path
):
    settings = copy_of(half_way, tmp_path / "home")
    assert versions.live_version(settings)["business_date"] == HALF_WAY.isoformat()
    assert hashes_of(settings) != hashes_of(reference_run.settings)
    run_here(settings, "second half", AFTER_HALF, LAST)
    assert hashes_of(settings) == hashes_of(reference_run.settings)
    assert len(versions.kept_versions(settings)) == 2


def test_a_build_that_outlives_its_killed_run_never_works_beside_the_next_one(reference_run: Run, tmp_path: Path):
    """Else dbt writes into the next run's warehouse: the file, its write-ahead log and its results have the same names."""
    settings = copy_of(reference_run, tmp_path / "home")
    pipeline.plan_run(settings, "again", LAST, LAST)
    code = (
        "import sys; from pathlib import Path; from crm_warehouse import pipeline;"
        "from crm_warehouse.progress import silent; from crm_warehouse.settings import Settings;"
        "home, project, source = map(Path, sys.argv[1:]);"
        "pipeline.build_warehouse(Settings('reference_bank', home, project, source), 'again', silent)"
    )
    folders = [str(folder) for folder in (settings.home, settings.project, settings.source_root)]
    process = subprocess.Popen([sys.executable, "-c", code, *folders], start_new_session=True)
    assert kill_when(process, (settings.warehouse / "warehouse.duckdb").is_file)
    deadline = time.monotonic() + 2
    while (left := processes_below(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        for orphan in left:  # not gone: then let it sleep, as a machine under load would
            os.kill(orphan, signal.SIGSTOP)
        if left:
            with pytest.raises(CrmWarehouseError):
                pipeline.build_warehouse(settings, "again", silent)
    finally:
        for orphan in left:
            os.kill(orphan, signal.SIGKILL)


def test_deliveries_landed_in_reverse_date_order_in_another_home_end_in_the_same_content(
    reference_run: Run, tmp_path: Path
):
    settings = home_with_key_of(reference_run, tmp_path / "home")
    profile = load_profile(settings)
    for source in reversed(profile.sources):
        with pipeline.opened_source(settings, profile, source) as opened:
            for day in reversed(profile.business_dates(FIRST, LAST)):
                for spec in reversed(profile.extracts_of(source)):
                    _, is_new = land(settings, spec, extract(profile, spec, opened, day))
                    assert is_new
    summary = run_here(settings, "reverse")
    assert sum(summary["results"][f"extract_{source}"]["landed"] for source in summary["sources"]) == 0
    assert hashes_of(settings) == hashes_of(reference_run.settings)


def test_a_candidate_of_another_business_date_is_never_published_under_this_runs_name(
    reference_run: Run, tmp_path: Path
):
    """The pool is free between a run's build and its mart gate, and both DAGs have the same candidate file."""
    settings = copy_of(reference_run, tmp_path / "home")
    live = versions.live_version(settings)
    pipeline.plan_run(settings, "earlier", date(2026, 6, 29), date(2026, 6, 29))
    built = pipeline.read_result(reference_run.settings, "reference", "build")  # of 2026-06-30
    write_json(settings.run_folder("earlier") / "build.json", built)
    with pytest.raises(CrmWarehouseError):
        pipeline.judge_marts(settings, "earlier", silent)
        pipeline.publish_marts(settings, "earlier")
    assert versions.live_version(settings) == live


def test_a_candidate_that_changed_between_build_and_mart_gate_is_refused(reference_run: Run, tmp_path: Path):
    """What is audited and published must be what this run built."""
    settings = copy_of(reference_run, tmp_path / "home")
    pipeline.plan_run(settings, "this", LAST, LAST)
    built = pipeline.read_result(reference_run.settings, "reference", "build")
    candidate = tmp_path / "candidate.duckdb"
    shutil.copyfile(built["candidate"], candidate)
    write_json(settings.run_folder("this") / "build.json", {**built, "candidate": str(candidate)})
    with duckdb.connect(str(candidate)) as connection:  # one figure of one customer
        connection.execute(
            "update marts.dim_tier_policies set tier_name_en = tier_name_en || '.' where rowid = 0; checkpoint"
        )
    with pytest.raises(CrmWarehouseError):
        pipeline.judge_marts(settings, "this", silent)


def test_a_run_started_again_that_stops_half_way_is_not_on_record_as_published(reference_run: Run, tmp_path: Path):
    settings = copy_of(reference_run, tmp_path / "home")
    earlier = read_json(settings.run_folder("reference") / "publish.json")
    assert earlier["version"]
    pipeline.plan_run(settings, "reference", FIRST, LAST)
    pipeline.extract_source(settings, "reference", "core", silent)
    # Here the machine goes down; Airflow then runs `evidence`, whose rule is all_done.
    assert pipeline.record_evidence(settings, "reference")["outcome"] == "failed"
    assert last_finished(settings)["outcome"] == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_run_killed_at_random_moments_converges(reference_run: Run, tmp_path: Path, seed: int):
    settings = home_with_key_of(reference_run, tmp_path / "home")
    moments, groups = random.Random(seed), []
    for attempt in range(6):
        process = start_run(settings, f"killed_{attempt}", FIRST, LAST)
        moment = time.monotonic() + moments.uniform(0.5, 25)
        kill_when(process, lambda moment=moment: time.monotonic() > moment)
        process.stderr.close()
        assert readable(settings)
        assert log.verify(settings) is None or "torn" in log.verify(settings)
        groups.append(process.pid)
        if attempt % 2:  # half of the re-runs start while what was killed may still be dying
            end_of_group(process.pid)
    for group in groups:
        end_of_group(group)
    run_here(settings, "plain")
    assert hashes_of(settings) == hashes_of(reference_run.settings)
    assert log.verify(settings) is None
    assert readable(settings)
