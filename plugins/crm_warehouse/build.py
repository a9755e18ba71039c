"""Building the warehouse: one dbt process, its progress shown, its results read and judged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from crm_warehouse.beliefs import beliefs_folder, write_beliefs
from crm_warehouse.errors import BuildFailed
from crm_warehouse.evidence import quality_results
from crm_warehouse.files import read_json
from crm_warehouse.landing import ACCEPTED, Batch, accepted_batches, write_batch_index
from crm_warehouse.machine import in_one_sentence
from crm_warehouse.privacy.tokens import update_token_map
from crm_warehouse.processes import die_with_parent, only_one
from crm_warehouse.profile import Profile
from crm_warehouse.progress import Progress
from crm_warehouse.settings import Settings

RESOURCES = ("model", "seed", "test")
# Unit tests prove the code, not the night's data: they run where code changes (`prove_models`), not every night.
# Exposures say who reads the marts: there is nothing to run.
BUILD = ("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "exposure")


@dataclass(frozen=True)
class BuildResult:
    """What dbt built and tested. `batches` are the landing batches it read."""

    database: Path
    models: int
    tests: int
    warnings: list[str]
    batches: list[Batch]
    manifest: Path


def database_path(settings: Settings) -> Path:
    return settings.warehouse / "warehouse.duckdb"


@contextmanager
def last_build(settings: Settings) -> Iterator[tuple[Path, Path]]:
    """The database of the last build and the manifest it was made from, to be read only.

    Raises BuildFailed in one sentence when there is none, or another build is at it, or it was not finished.
    """
    database, manifest = database_path(settings), settings.warehouse / "dbt" / "manifest.json"
    if not (database.is_file() and manifest.is_file()):
        raise BuildFailed(f"nothing is built yet for {settings.bank}: run `make demo` or `crm-warehouse run` first")
    try:
        yield database, manifest
    except duckdb.IOException:
        raise BuildFailed(
            f"{database} cannot be read now: wait until the build that is at it ends, then ask again"
        ) from None
    except (duckdb.CatalogException, duckdb.BinderException) as problem:
        raise BuildFailed(
            f"the last build of {settings.bank} was not finished, or is of another version of this project: run again, then"
            f" ask again ({str(problem).splitlines()[0]})"
        ) from None


def build(settings: Settings, profile: Profile, as_of: date, progress: Progress) -> BuildResult:
    """Rebuild the private warehouse from accepted batches up to `as_of`; no reader ever opens it.

    Raises BuildFailed when anything planned was not built, not tested or failed.
    """
    batches = accepted_batches(settings, profile, as_of)
    customers, column = profile.customer_extract
    customer_files = [batch.folder / ACCEPTED for batch in batches if batch.table == customers.table]
    if not customer_files:
        raise BuildFailed(
            f"no accepted batch of {customers.table} up to {as_of}: run the extracts and the landing gate first"
        )
    with _only_build(settings) as lock:
        database = database_path(settings)
        for leftover in (database, database.with_name(database.name + ".wal")):
            leftover.unlink(missing_ok=True)  # a killed build's write-ahead log must not be replayed into this one
        batch_index = write_batch_index(settings, batches)
        update_token_map(settings, customer_files, column)
        quality_results.gather(settings)
        target = settings.warehouse / "dbt"

        def run(*arguments: str) -> None:
            _run_dbt(settings, profile, as_of, arguments, target, lock, progress)

        def compile_models() -> Path:
            run("compile")
            return target / "manifest.json"

        write_beliefs(settings, profile, as_of, batch_index, compile_models)
        run(*BUILD)
        models, tests, warnings = judge(target)
        return BuildResult(database, models, tests, warnings, batches, target / "manifest.json")


def prove_models(settings: Settings, profile: Profile, as_of: date, progress: Progress) -> int:
    """Run the models' unit tests beside the last build, whose tables give them their columns' types; how many passed.

    Raises BuildFailed when one does not pass.
    """
    target = settings.warehouse / "dbt"
    with _only_build(settings) as lock:
        _run_dbt(settings, profile, as_of, ("test", "--select", "test_type:unit"), target, lock, progress)
    results = read_json(target / "run_results.json")["results"]
    failed = [result for result in results if result["status"] != "pass"]
    if failed or not results:
        messages = "\n".join(f"{result['unique_id'].split('.', 2)[-1]}: {result['message']}" for result in failed)
        raise BuildFailed(f"{len(failed)} of {len(results)} unit tests failed (log: {target / 'dbt.log'})\n{messages}")
    return len(results)


def _only_build(settings: Settings) -> AbstractContextManager[int]:
    """A lock that dbt holds too: a build whose run was killed must be gone before the next one touches its files."""
    return only_one(
        settings.warehouse / ".build.lock",
        BuildFailed(
            f"another build of {settings.bank} is still running: wait until it ends, or stop it, then run again"
        ),
    )


def dbt_variables(profile: Profile) -> dict:
    return {
        "bank": profile.bank,
        "reporting_currency": profile.reporting_currency,
        "provided": list(profile.provided),
    }


def dbt_environment(settings: Settings, as_of: date) -> dict[str, str]:
    """The business date, and where the models find what is not theirs to make: the database, landing, what this program writes
    for them."""
    return {
        "CRM_WAREHOUSE_AS_OF": as_of.isoformat(),
        "CRM_WAREHOUSE_DATABASE": str(database_path(settings)),
        "CRM_WAREHOUSE_LANDING": str(settings.landing),
        "CRM_WAREHOUSE_BATCHES": str(settings.warehouse / "landing_batches.parquet"),
        "CRM_WAREHOUSE_BELIEFS": str(beliefs_folder(settings)),
        "CRM_WAREHOUSE_TOKENS": str(settings.token_map),
        "CRM_WAREHOUSE_QUALITY_RESULTS": str(quality_results.quality_results_path(settings)),
    }


def _run_dbt(
    settings: Settings,
    profile: Profile,
    as_of: date,
    arguments: Sequence[str],
    target: Path,
    lock: int,
    progress: Progress,
) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / "run_results.json").unlink(missing_ok=True)  # an older run's results must never be judged
    project = str(settings.project / "dbt_project")
    _forget_another_project(target, project)
    command = [sys.executable, "-m", "dbt.cli.main", "--log-format", "json", "--log-level-file", "none"]
    command += ["--no-use-colors", *arguments]
    command += ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
    command += ["--log-path", str(target), "--vars", json.dumps(dbt_variables(profile))]
    with (
        (target / "dbt.log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            env={**os.environ, **dbt_environment(settings, as_of)},
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[lock],
            preexec_fn=die_with_parent,
        ) as process,
    ):
        try:
            for line in process.stdout:
                log.write(line)
                _show(line, progress)
        except BaseException:  # stopped by SIGTERM, or the log cannot be written: nobody waits for dbt then
            process.kill()
            raise
    if process.returncode < 0:
        raise BuildFailed(
            f"dbt was ended by {signal.Signals(-process.returncode).name}: if nobody ended it, the machine had no memory"
            " left (give it more, or lower CRM_WAREHOUSE_MEMORY); run again"
        )
    if not (target / "run_results.json").is_file():
        said = (target / "dbt.log").read_text(encoding="utf-8")
        reason = in_one_sentence(said, target) or _last_message(said)
        raise BuildFailed(f"dbt stopped before it ran anything: {reason} (log: {target / 'dbt.log'})")


def _forget_another_project(target: Path, project: str) -> None:
    """dbt's parse cache names files by where the project was: one of another folder is of no use and misleads."""
    parsed_in = target / "project"
    if not parsed_in.is_file() or parsed_in.read_text(encoding="utf-8") != project:
        (target / "partial_parse.msgpack").unlink(missing_ok=True)
        parsed_in.write_text(project, encoding="utf-8")


def _show(line: str, progress: Progress) -> None:
    """Report a finished node; lines that are not dbt's JSON are only logged."""
    try:
        event = json.loads(line)
    except ValueError:
        return
    data = event.get("data", {})
    if event.get("info", {}).get("name") in ("LogModelResult", "LogTestResult", "LogSeedResult", "LogUnitTestResult"):
        name = data.get("node_info", {}).get("node_name") or data.get("name", "")
        progress(name, int(data.get("index", 0)), int(data.get("total", 0)))


def _last_message(said: str) -> str:
    lines = said.strip().splitlines()
    for line in reversed(lines):
        try:
            return json.loads(line)["info"]["msg"].strip().splitlines()[-1]
        except (ValueError, KeyError, IndexError):
            continue
    return lines[-1] if lines else "no output"


def judge(target: Path) -> tuple[int, int, list[str]]:
    """Numbers of models and tests that ran, and tests that warned. Raises BuildFailed unless all that is planned passed."""
    manifest = read_json(target / "manifest.json")
    nodes = manifest["nodes"]
    planned = {
        key for key, node in nodes.items() if node["resource_type"] in RESOURCES and node["config"].get("enabled", True)
    }
    results = {result["unique_id"]: result for result in read_json(target / "run_results.json")["results"]}
    failed = [key for key, result in results.items() if result["status"] not in ("success", "pass", "warn")]
    missing = sorted(planned - set(results))
    if failed or missing:
        first = next((key for key in failed if results[key]["status"] != "skipped"), (failed + missing)[0])
        message = (results.get(first, {}).get("message") or "it did not run").strip()
        reason = in_one_sentence(message, target.parent) or message.splitlines()[0]
        raise BuildFailed(
            f"dbt: {first.split('.', 2)[-1]} {reason} ({len(failed)} failed or skipped, {len(missing)} not run of"
            f" {len(planned)}); the last published version stays live (log: {target / 'dbt.log'})"
        )
    tests = sum(nodes[key]["resource_type"] == "test" for key in results)
    if not tests:
        raise BuildFailed("dbt ran no test: a build that checks nothing does not pass")
    warnings = sorted(key.split(".", 2)[-1] for key, result in results.items() if result["status"] == "warn")
    return len(results) - tests, tests, warnings
