"""The main job in real Airflow, on a metadata database of its own: what a person sees is what happened."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest import FIRST, LAST, Run
from faults.homes import copy_of, deliver_a_customer_twice, hashes_of, home_with_key_of, last_finished
from personal_data import personal_values, traces_in

from crm_warehouse import airflow_home
from crm_warehouse.evidence import log
from crm_warehouse.publish import versions
from crm_warehouse.settings import PROJECT, Settings

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class AirflowRun:
    """What came of `python -m crm_warehouse.operators.local_run`."""

    exit_code: int
    run_id: str
    state: str
    tasks: dict[str, list[str]]
    output: str


def run_dag(settings: Settings, dag_id: str, **params: str) -> AirflowRun:
    params = {"bank": settings.bank, "data": str(settings.source_root), **params}
    command = [sys.executable, "-m", "crm_warehouse.operators.local_run", dag_id, json.dumps(params)]
    temporary = settings.home / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {**airflow_home.environment(settings), "TMPDIR": str(temporary)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    outcome = json.loads(done.stdout.strip().splitlines()[-1])
    tasks: dict[str, list[str]] = {}
    with closing(sqlite3.connect(settings.airflow / "airflow.db")) as metadata:
        query = "select task_id, state from task_instance where run_id = ? order by task_id, map_index"
        for task, state in metadata.execute(query, [outcome["run_id"]]):
            tasks.setdefault(task, []).append(state)
    return AirflowRun(done.returncode, outcome["run_id"], outcome["state"], tasks, done.stdout)


def airflow(settings: Settings, *arguments: str) -> str:
    command = [sys.executable, "-m", "airflow", *arguments]
    done = subprocess.run(command, env=airflow_home.environment(settings), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory, simulated_bank: Path) -> Path:
    """An Airflow metadata database as `prepare` makes it, with the DAGs known to it."""
    settings = Settings("reference_bank", tmp_path_factory.mktemp("metadata"), PROJECT, simulated_bank)
    airflow_home.prepare(settings)
    airflow(settings, "dags", "reserialize")
    return settings.airflow / "airflow.db"


def with_airflow(settings: Settings, metadata: Path) -> Settings:
    settings.airflow.mkdir(parents=True)
    shutil.copyfile(metadata, settings.airflow / "airflow.db")
    return settings


@pytest.fixture
def day_before(reference_run: Run, metadata: Path, tmp_path: Path) -> Settings:
    """The reference home in which 2026-06-30 has not landed yet."""
    return with_airflow(copy_of(reference_run, tmp_path / "home", without=LAST), metadata)


def proves_nothing_was_published(settings: Settings, live: dict | None, run: AirflowRun) -> None:
    assert versions.live_version(settings) == live
    assert "success" not in run.tasks.get("publish", [])
    assert log.verify(settings) is None


@pytest.fixture(scope="module")
def rebuilt(
    reference_run: Run, metadata: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, AirflowRun]:
    """A home from nothing, by the rebuild in real Airflow."""
    settings = with_airflow(home_with_key_of(reference_run, tmp_path_factory.mktemp("rebuilt") / "home"), metadata)
    run = run_dag(settings, "crm_warehouse_rebuild", first_date=FIRST.isoformat(), last_date=LAST.isoformat())
    return settings, run


def test_a_rebuild_from_nothing_is_green_and_publishes_what_the_job_without_airflow_publishes(
    reference_run: Run, rebuilt: tuple[Settings, AirflowRun]
):
    settings, run = rebuilt
    assert (run.exit_code, run.state) == (0, "success"), run.output[-3000:]
    assert {state for states in run.tasks.values() for state in states} == {"success"}
    assert len(run.tasks["extract"]) == 5  # one for each source
    assert hashes_of(settings) == hashes_of(reference_run.settings)
    live = versions.live_version(settings)
    assert (live["run_id"], live["business_date"]) == (run.run_id, "2026-06-30")
    finished = last_finished(settings)
    assert (finished["run_id"], finished["outcome"]) == (run.run_id, "published")
    assert finished["published"]["version"] == live["version"]
    assert log.verify(settings) is None


def test_nobody_is_named_in_what_a_run_leaves_outside_its_private_files(
    rebuilt: tuple[Settings, AirflowRun], everything: dict
):
    """Published files, evidence, report, dbt's and Airflow's logs, XComs and other metadata, temporary files, what it said."""
    settings, run = rebuilt
    people = personal_values(everything)
    assert len(people) > 1000
    folders = {folder.name for folder in settings.home.iterdir() if folder.is_dir()} - {"landing", "secrets"}
    assert folders >= {"published", "evidence", "report", "airflow", "warehouse", "tmp"}
    # Nobody but a run opens these: they are what the marts are made of.
    private = {"warehouse.duckdb", "landing_gate.duckdb", "customer_tokens.parquet"}
    assert {folder: traces_in(settings.home / folder, people, private) for folder in folders} == dict.fromkeys(
        folders, []
    )
    assert not people & set(re.findall(r"\w+", run.output))
    # The search finds people where they are.
    assert traces_in(settings.landing / "core" / "customers" / f"business_date={LAST}", people)
    assert traces_in(settings.warehouse, people)


def test_a_daily_run_after_the_days_before_publishes_what_one_run_over_all_days_publishes(
    reference_run: Run, day_before: Settings
):
    shutil.rmtree(day_before.published)  # so that it must publish
    run = run_dag(day_before, "crm_warehouse_daily", business_date="2026-06-30")
    assert (run.exit_code, run.state) == (0, "success"), run.output[-3000:]
    assert versions.live_version(day_before)["run_id"] == run.run_id
    assert hashes_of(day_before) == hashes_of(reference_run.settings)
    finished = last_finished(day_before)
    assert (finished["business_dates"], finished["outcome"]) == (["2026-06-30"], "published")


def test_a_daily_run_on_a_holiday_is_skipped_is_not_red_and_publishes_nothing(day_before: Settings):
    live = versions.live_version(day_before)
    run = run_dag(day_before, "crm_warehouse_daily", business_date="2026-06-19")
    proves_nothing_was_published(day_before, live, run)
    assert run.tasks["plan"] in (["skipped"], ["success"])
    assert {state for task, states in run.tasks.items() if task != "plan" for state in states} == {"skipped"}
    assert "failed" not in {state for states in run.tasks.values() for state in states}, run.tasks
    assert (run.exit_code, run.state) == (0, "success")


def test_a_shut_gate_leaves_the_run_red_on_record_and_the_live_version_as_it_was(day_before: Settings, tmp_path: Path):
    live = versions.live_version(day_before)
    sources = tmp_path / "source_systems"
    for folder in day_before.source_root.glob("*/2026-06-30"):
        shutil.copytree(folder, sources / folder.relative_to(day_before.source_root))
    deliver_a_customer_twice(sources / "core" / "2026-06-30" / "customers.csv")
    run = run_dag(
        Settings(day_before.bank, day_before.home, day_before.project, sources),
        "crm_warehouse_daily",
        business_date="2026-06-30",
    )
    proves_nothing_was_published(day_before, live, run)
    assert (run.exit_code, run.state) == (1, "failed")
    assert run.tasks["landing_gate"] == ["failed"]
    assert run.tasks["build"] == ["upstream_failed"]
    assert run.tasks["evidence"] == ["failed"]
    finished = last_finished(day_before)
    assert (finished["run_id"], finished["outcome"]) == (run.run_id, "failed")
    assert "landing gate is shut" in finished["problem"]
    assert finished["problem"] in run.output


def test_a_missing_extract_leaves_the_run_red_on_record_and_the_message_names_the_file(
    day_before: Settings, tmp_path: Path
):
    live = versions.live_version(day_before)
    nothing_sent = tmp_path / "source_systems"
    nothing_sent.mkdir()
    settings = Settings(day_before.bank, day_before.home, day_before.project, nothing_sent)
    run = run_dag(settings, "crm_warehouse_daily", business_date="2026-06-30")
    proves_nothing_was_published(day_before, live, run)
    assert (run.exit_code, run.state) == (1, "failed")
    assert run.tasks["evidence"] == ["failed"]
    finished = last_finished(day_before)
    assert (finished["run_id"], finished["outcome"]) == (run.run_id, "failed")
    assert "is missing; ask the" in finished["problem"]
    page = (day_before.report / re.sub(r"[^A-Za-z0-9_.-]+", "-", run.run_id) / "index.zh.html").read_text(
        encoding="utf-8"
    )
    assert "本次未发布" in page


def test_a_range_without_deliveries_is_red_and_says_so_in_a_sentence(day_before: Settings):
    live = versions.live_version(day_before)
    run = run_dag(day_before, "crm_warehouse_rebuild", first_date="2020-01-01", last_date="2020-01-31")
    proves_nothing_was_published(day_before, live, run)
    assert (run.exit_code, run.state) == (1, "failed")
    assert "reference_bank delivers nothing from 2020-01-01 to 2020-01-31" in run.output
    assert "FileNotFoundError" not in run.output  # evidence of a run that never had a plan


def backfilled(settings: Settings, *options: str) -> list[date]:
    """Business dates that a backfill with these options would load."""
    output = airflow(settings, "backfill", "create", *options, "--dry-run")
    stamps = re.findall(r"\| (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00) \|", output)
    return [datetime.fromisoformat(stamp).astimezone(SHANGHAI).date() for stamp in stamps]


@pytest.fixture
def prepared(reference_run: Run, metadata: Path, tmp_path: Path) -> Settings:
    return with_airflow(home_with_key_of(reference_run, tmp_path / "home"), metadata)


def test_a_backfill_of_the_daily_dag_plans_one_run_a_day(prepared: Settings):
    options = ["--dag-id", "crm_warehouse_daily", "--from-date", "2026-06-08T00:00+08:00"]
    days = backfilled(prepared, *options, "--to-date", "2026-06-12T23:59+08:00")
    assert days == [date(2026, 6, day) for day in (8, 9, 10, 11, 12)]


def test_the_backfill_in_the_runbook_loads_every_night_that_it_names(prepared: Settings):
    runbook = (PROJECT / "dags" / "crm_warehouse_daily.py").read_text(encoding="utf-8")
    command = re.search(r"`airflow backfill create ([^`]+)`", runbook)
    options = shlex.split(command[1].replace("\n", " "))
    first, last = (date.fromisoformat(options[options.index(f"--{end}-date") + 1][:10]) for end in ("from", "to"))
    expected = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert backfilled(prepared, *options) == expected
