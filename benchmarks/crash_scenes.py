"""Homes in which a run stands just before one of its steps, copied for every kill; and what must hold after one.

live: the first half of the days; the run is of the second half
extract -> landing_gate -> build -> mart_gate -> publish -> evidence      and after it a rollback, or an erasure
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from benchmarks.crash_points import AFTER_HALF, FIRST, HALF_WAY, LAST, NEVER, RUN_ID, Ended, run_step
from crm_warehouse import pipeline
from crm_warehouse.errors import PublishRefused
from crm_warehouse.evidence import log
from crm_warehouse.files import sha256_of
from crm_warehouse.landing import accepted_batches
from crm_warehouse.privacy import erasure
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.publish import versions
from crm_warehouse.publish.candidate import SCHEMA, prove_whole
from crm_warehouse.publish.content import describe_tables
from crm_warehouse.settings import PROJECT, Settings

STEPS = ("extract", "landing_gate", "build", "mart_gate", "publish", "evidence", "rollback", "erasure")
MOVING = ("publish", "rollback", "run")  # steps that move the pointer
SOURCE = "core"  # whose extracts the extract step lands
# Written once under their name and never again: a copy may share them.
WRITTEN_ONCE = (".parquet", ".csv", ".original")


@dataclass(frozen=True)
class Scene:
    """A home just before `step`, and what it comes to when nothing goes wrong."""

    step: str
    home: Path
    source_root: Path
    argument: str
    before: dict | None  # the live version
    ends: str  # fingerprint of what the step makes
    operations: int  # file operations of the step
    seconds: float = 0.0

    def settings_in(self, home: Path) -> Settings:
        return settings_of(home, self.source_root)


def settings_of(home: Path, source_root: Path) -> Settings:
    return Settings("reference_bank", home, PROJECT, source_root)


def set_stage(home: Path, source_root: Path) -> Settings:
    """Publish the first half of the days, and plan the run of the second."""
    settings = settings_of(home, source_root)
    pipeline.run(settings, "first_half", FIRST, HALF_WAY, False, lambda step: silent)
    pipeline.plan_run(settings, RUN_ID, AFTER_HALF, LAST)
    return settings


def step_forward(settings: Settings, step: str) -> None:
    """Do one step of the run, in this process."""
    if step == "extract":
        for source in load_profile(settings).sources:
            pipeline.extract_source(settings, RUN_ID, source, silent)
    else:
        does = {
            "landing_gate": pipeline.judge_landing,
            "build": pipeline.build_warehouse,
            "mart_gate": pipeline.judge_marts,
        }
        if step in does:
            does[step](settings, RUN_ID, silent)
        else:
            {"publish": pipeline.publish_marts, "evidence": pipeline.record_evidence}[step](settings, RUN_ID)


def copy_home(home: Path, to: Path) -> Path:
    """A copy in which nothing that is written in place is shared. `to` may be there, empty: another disk."""
    to.mkdir(exist_ok=True)
    is_one_disk = to.stat().st_dev == home.stat().st_dev

    def copy(source: str, target: str) -> None:
        shared = is_one_disk and source.endswith(WRITTEN_ONCE) and "/landing/" in source
        (os.link if shared else shutil.copy2)(source, target)

    shutil.copytree(
        home,
        to,
        copy_function=copy,
        symlinks=True,
        ignore=shutil.ignore_patterns("source_systems", "ground_truth"),
        dirs_exist_ok=True,
    )
    result = to / "evidence" / "runs" / RUN_ID / "build.json"
    if result.is_file():  # it names the candidate and dbt's manifest by their paths
        result.write_text(result.read_text(encoding="utf-8").replace(str(home), str(to)), encoding="utf-8")
    return to


def fingerprint(settings: Settings, step: str) -> str:
    """What a step makes, such that a killed and repeated one can be told from one that was not."""
    if step in ("extract", "landing_gate"):
        batches = settings.landing.glob("[!.]*/*/business_date=*/batch=*")
        files = {
            str(path.relative_to(settings.landing)): sha256_of(path / "accepted.parquet")
            for path in batches
            if (path / "accepted.parquet").is_file()
        }
        accepted = [
            f"{b.table} {b.business_date} {b.number} {b.sha256}"
            for b in accepted_batches(settings, load_profile(settings), LAST)
        ]
        return json.dumps([sorted(files.items()), sorted(accepted)])
    if step == "build":
        candidate = settings.warehouse / "candidate.duckdb"
        with duckdb.connect(str(candidate), read_only=True) as connection:
            return json.dumps(describe_tables(connection, SCHEMA), sort_keys=True)
    if step == "mart_gate":
        gate = pipeline.read_result(settings, RUN_ID, "mart_gate")
        return json.dumps([gate["is_open"], gate["run"], gate["audited"]["tables"]], sort_keys=True)
    if step == "erasure":
        files = sorted(file for folder in (settings.landing, settings.quarantine) for file in folder.rglob("*.parquet"))
        changed = [(done["files"], done["files_sha256"]) for done in erasure.read_erasures(settings)]
        return json.dumps([changed, [(str(file.relative_to(settings.home)), sha256_of(file)) for file in files]])
    live = versions.live_version(settings)
    return json.dumps([live["business_date"], versions.tables_of_the_bank(live)], sort_keys=True)


def make_scene(home: Path, source_root: Path, step: str) -> Scene:
    """Of a home that stands before `step`: do it once, whole, in a copy, to know what it ends in and how long it is."""
    settings = settings_of(home, source_root)
    argument = {"extract": SOURCE, "run": RUN_ID}.get(step, "")
    if step == "rollback":
        argument = versions.kept_versions(settings)[-1]["version"]
    if step == "erasure":
        argument = pq.read_table(settings.token_map)["customer_id"][0].as_py()
    whole = copy_home(home, home.with_name(home.name + "_whole"))
    began = time.monotonic()
    ended = run_step(whole, source_root, step, argument, NEVER)
    if ended.problem:
        raise RuntimeError(f"{step} fails though nobody kills it: {ended.problem}")
    seconds = time.monotonic() - began
    ends = fingerprint(settings_of(whole, source_root), step)
    shutil.rmtree(whole)
    return Scene(step, home, source_root, argument, versions.live_version(settings), ends, ended.operations, seconds)


def problem_after_kill(scene: Scene, settings: Settings) -> str | None:
    """What is wrong with what readers and auditors find after a kill; None when nothing is."""
    live = versions.live_version(settings)
    if live != scene.before and scene.step not in MOVING:
        return f"the live version changed in {scene.step}"
    if live and not _is_readable(settings, live):
        return f"{live['version']} is live and cannot be read as it was published"
    for version in versions.kept_versions(settings):
        try:
            prove_whole(settings.published / version["file"], version["sha256"])
        except PublishRefused as refused:
            return f"a kept version is not whole: {refused}"
    broken = log.verify(settings)
    if broken and "torn" not in broken:
        return f"evidence: {broken}"
    intended = {
        entry["body"]["sha256"] for entry in log.read_entries(settings) if entry.get("event") == "publish_intended"
    }
    if live and live["sha256"] not in intended:
        return f"{live['version']} is live and the log does not know it"
    return None


def problem_after_repeat(scene: Scene, settings: Settings, ended: Ended) -> str | None:
    """What is wrong after the step was simply done again; None when it ended as if nothing had happened."""
    if ended.problem:
        return f"done again, it fails: {ended.problem}"
    if fingerprint(settings, scene.step) != scene.ends:
        return "done again, it ends in something else"
    broken = log.verify(settings)
    if broken:
        return f"evidence after it was done again: {broken}"
    leftovers = [path.name for path in settings.published.glob(".marts_*")]
    return f"left in published/: {', '.join(leftovers)}" if leftovers else problem_after_kill(scene, settings)


def _is_readable(settings: Settings, live: dict) -> bool:
    with duckdb.connect(str(settings.published / live["file"]), read_only=True) as connection:
        return all(
            connection.execute(f"select count(*) from marts.{name}").fetchone()[0] == table["rows"]
            for name, table in live["tables"].items()
        )
