"""What every DAG of the project must be, whoever writes it."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from crm_warehouse.settings import PROJECT

DAG_IDS = {"crm_warehouse_daily", "crm_warehouse_rebuild"}
TASKS = ["plan", "extract", "landing_gate", "build", "mart_gate", "publish", "evidence"]
WRITERS = {"landing_gate", "build", "mart_gate", "publish"}
DAG_FILES = sorted((PROJECT / "dags").glob("*.py"))
HEAVY = ("duckdb", "pandas", "pyarrow", "dbt", "great_expectations", "crm_warehouse.pipeline", "expectations")

READ_DAGS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1], load_op_links=False)
def timeout(task):
    return task.execution_timeout.total_seconds() if task.execution_timeout else None
def listed(given):  # a mapped task keeps its one callback as it was given
    return [given] if callable(given) else list(given or [])
def described(dag):
    return {
        "doc_md": dag.doc_md, "tags": sorted(dag.tags), "catchup": dag.catchup, "max_active_runs": dag.max_active_runs,
        "timetable": type(dag.timetable).__name__, "fileloc": dag.fileloc,
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "described": {name: dag.params.get_param(name).description for name in dag.params},
        "run_timeout": dag.dagrun_timeout.total_seconds() if dag.dagrun_timeout else None,
        "roots": sorted(task.task_id for task in dag.roots), "leaves": sorted(task.task_id for task in dag.leaves),
        "tasks": {
            task.task_id: {
                "owner": task.owner, "timeout": timeout(task), "retries": task.retries, "pool": task.pool,
                "backoff": task.retry_exponential_backoff, "delay": task.retry_delay.total_seconds(),
                "max_delay": task.max_retry_delay and task.max_retry_delay.total_seconds(),
                "callbacks": [f.__name__ for f in listed(task.on_failure_callback)],
                "trigger_rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
                "outlets": [outlet.name for outlet in task.outlets],
                "upstream": sorted(task.upstream_task_ids), "doc": task.doc_md or task.doc,
            }
            for task in dag.tasks
        },
    }
print(json.dumps({"errors": bag.import_errors, "dags": {key: described(dag) for key, dag in bag.dags.items()}}))
"""


def in_airflow(code: str, home: Path, *arguments: str) -> str:
    """Last line that `code` prints in a fresh interpreter with an Airflow home of its own."""
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "CRM_WAREHOUSE_HOME": str(home / "var"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """All DAGs as Airflow reads them."""
    return json.loads(in_airflow(READ_DAGS, tmp_path_factory.mktemp("bag"), str(PROJECT / "dags")))


@pytest.fixture(params=sorted(DAG_IDS))
def dag(request: pytest.FixtureRequest, bag: dict) -> dict:
    return bag["dags"][request.param]


def test_there_are_exactly_the_dags_of_the_project_and_no_import_error(bag: dict):
    assert bag["errors"] == {}
    assert set(bag["dags"]) == DAG_IDS
    assert {path.stem for path in DAG_FILES} == DAG_IDS
    assert all(Path(dag["fileloc"]).stem == key for key, dag in bag["dags"].items())


def test_every_dag_has_a_runbook(dag: dict):
    for heading in ("**Purpose.**", "**When it is red.**", "**Owner.**"):
        assert heading in dag["doc_md"]


def test_the_daily_runbook_says_how_to_load_missed_nights_and_names_every_step(bag: dict):
    runbook = bag["dags"]["crm_warehouse_daily"]["doc_md"]
    assert "airflow backfill create --dag-id crm_warehouse_daily" in runbook
    assert all(step in runbook for step in ("extract", "landing_gate", "build", "mart_gate", "publish", "evidence"))


def test_every_dag_has_tags_an_owner_and_an_end(dag: dict):
    assert "crm-warehouse" in dag["tags"]
    assert {task["owner"] for task in dag["tasks"].values()} == {"data-engineering"}
    assert dag["run_timeout"]


def test_every_param_is_typed_and_described(dag: dict):
    assert {"bank", "data", "switch_bank"} < set(dag["params"])
    assert all(schema.get("type") for schema in dag["params"].values())
    assert all(dag["described"].values())
    dates = [schema for name, schema in dag["params"].items() if name.endswith("_date")]
    assert dates
    assert all(schema.get("format") == "date" for schema in dates)


def test_one_run_at_a_time_and_no_catch_up(dag: dict):
    assert dag["max_active_runs"] == 1
    assert dag["catchup"] is False


def test_only_the_daily_dag_has_a_schedule(bag: dict):
    assert bag["dags"]["crm_warehouse_daily"]["timetable"] == "CronDataIntervalTimetable"
    assert bag["dags"]["crm_warehouse_rebuild"]["timetable"] == "NullTimetable"


def test_every_task_retries_with_exponential_back_off_up_to_a_limit(dag: dict):
    for name, task in dag["tasks"].items():
        assert task["retries"] >= 1, name
        assert task["backoff"], name
        assert 0 < task["delay"] < task["max_delay"] <= timedelta(hours=1).total_seconds(), name


def test_every_task_has_a_timeout_within_that_of_its_run_and_says_when_it_fails(dag: dict):
    for name, task in dag["tasks"].items():
        assert task["timeout"], name
        assert task["timeout"] < dag["run_timeout"], name
        assert task["callbacks"] == ["report_failure"], name


def test_writers_and_only_they_share_the_pool_of_one_slot(dag: dict):
    assert {name for name, task in dag["tasks"].items() if task["pool"] == "warehouse_writer"} == WRITERS


def test_publish_and_only_it_emits_the_asset_of_the_marts(dag: dict):
    emitted = {name: task["outlets"] for name, task in dag["tasks"].items() if task["outlets"]}
    assert emitted == {"publish": ["crm_warehouse_marts"]}


def test_evidence_is_the_only_leaf_and_runs_whatever_happened(dag: dict):
    assert dag["leaves"] == ["evidence"]
    assert dag["tasks"]["evidence"]["trigger_rule"] == "all_done"
    assert {task["trigger_rule"] for name, task in dag["tasks"].items() if name != "evidence"} == {"all_success"}


def test_tasks_follow_the_path_of_the_data(dag: dict):
    assert set(dag["tasks"]) == set(TASKS)
    assert dag["roots"] == ["plan"]
    for before, after in zip(TASKS, TASKS[1:], strict=False):
        assert before in dag["tasks"][after]["upstream"], after
    assert dag["tasks"]["publish"]["upstream"] == ["mart_gate"]


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_a_dag_file_has_at_most_80_lines(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "plugins/crm_warehouse/operators").glob("*.py")), ids=lambda p: p.stem
)
def test_every_function_of_the_operators_has_at_most_60_lines(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name


IMPORTS = """
import json, sys
import airflow.sdk
from airflow.sdk import Asset, CronDataIntervalTimetable, Param, dag, task
import airflow.sdk.exceptions
before = set(sys.modules)
import importlib.util
opened = []
watching = True
def watch(event, arguments):
    if not watching:
        return
    if event in ("subprocess.Popen", "os.system", "socket.connect", "socket.getaddrinfo", "sqlite3.connect"):
        opened.append([event, str(arguments[0])])
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.listdir", "os.scandir"):
        opened.append([event, str(arguments[0])])
    elif event == "open" and not str(arguments[0]).endswith((".py", ".pyc")):
        opened.append([event, str(arguments[0])])
sys.addaudithook(watch)
for number, path in enumerate(sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(f"parsed_{number}", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
watching = False
print(json.dumps({"modules": sorted(set(sys.modules) - before), "opened": opened}))
"""


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What parsing the DAG files imports and opens, beyond what Airflow's SDK does by itself."""
    return json.loads(in_airflow(IMPORTS, tmp_path_factory.mktemp("parse"), *map(str, DAG_FILES)))


def test_parsing_the_dag_files_imports_no_heavy_module(parsed: dict):
    heavy = [name for name in parsed["modules"] if any(name == h or name.startswith(h + ".") for h in HEAVY)]
    assert heavy == []
    assert "crm_warehouse.operators.nightly" in parsed["modules"]


def test_parsing_the_dag_files_reads_and_writes_nothing(parsed: dict):
    listing = {str(path) for path in (PROJECT / "dags", PROJECT / "plugins", PROJECT)}
    mine = [
        (event, name)
        for event, name in parsed["opened"]
        # The import system itself lists folders and reads and writes compiled modules.
        if not (
            event in ("os.listdir", "os.scandir") and (name in listing or re.search(r"site-packages|/lib/python", name))
        )
        and "__pycache__" not in name
        and not (event == "os.listdir" and name.startswith(str(PROJECT / "plugins")))
    ]
    assert mine == []


def test_nothing_outside_the_operators_imports_airflow():
    for path in (PROJECT / "plugins").rglob("*.py"):
        if "operators" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "airflow"], path


def test_nothing_imports_the_dag_files():
    for folder in ("plugins", "expectations", "tests"):
        for path in (PROJECT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
                assert not [name for name in names if name.split(".")[0] in ("dags", *DAG_IDS)], path


def test_no_dag_reads_a_variable_or_a_connection_when_it_is_parsed():
    for path in DAG_FILES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"Variable|Connection|BaseHook|os\.environ|open\(", text), path
