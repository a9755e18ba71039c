"""The last steps of a run, killed before one file operation after another or met by another fault: `make crash` in small."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import duckdb
import pytest
from conftest import LAST, Run
from faults.homes import copy_of

from benchmarks import crash_faults
from benchmarks.crash import Plan, kill_all
from benchmarks.crash_points import RUN_ID
from benchmarks.crash_resources import NO_ROOM, faults, struck
from benchmarks.crash_scenes import Scene, copy_home, make_scene, step_forward
from crm_warehouse import pipeline
from crm_warehouse.errors import AnotherAtWork
from crm_warehouse.files import sha256_of, write_json
from crm_warehouse.processes import one_writer
from crm_warehouse.progress import silent
from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings

KILLS = 8  # of a step; `make crash` has all of them, and the steps before
FAULTS = [  # and all of these, at the steps before too
    ("disk_full", "publish", 0),
    ("disk_full", "publish", 4),
    ("read_only", "publish", 1),
    ("sigterm_raised", "publish", 0),
    ("clock_back_an_hour", "publish", 0),
    ("leftovers", "publish", 0),
    ("outrun", "publish", 0),
    ("damaged_by_bit", "rollback", 0),
    ("damaged_by_wal", "rollback", 0),
    ("other_duckdb", "plan", 0),
]


@pytest.fixture(scope="module")
def before_publish(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home where a run is about to publish something else than what is live: one name in it has changed."""
    settings = copy_of(reference_run, tmp_path_factory.mktemp("crash") / "home")
    pipeline.plan_run(settings, RUN_ID, LAST, LAST)
    candidate = settings.warehouse / "candidate.duckdb"
    built = pipeline.read_result(reference_run.settings, "reference", "build")
    shutil.copyfile(built["candidate"], candidate)
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(
            "update marts.dim_products set product_name = product_name || '.' where rowid = 0; checkpoint"
        )
    built = {**built, "candidate": str(candidate), "candidate_sha256": sha256_of(candidate)}
    write_json(settings.run_folder(RUN_ID) / "build.json", built)
    pipeline.judge_marts(settings, RUN_ID, silent)
    return settings


def scene_of(before_publish: Settings, folder: Path, step: str) -> Scene:
    """The home just before `step`."""
    home = copy_home(before_publish.home, folder / step)
    settings = Settings(before_publish.bank, home, before_publish.project, before_publish.source_root)
    for earlier in {"evidence": ("publish",), "rollback": ("publish", "evidence")}.get(step, ()):
        step_forward(settings, earlier)
    return make_scene(home, settings.source_root, step)


@pytest.fixture(scope="module")
def scenes(before_publish: Settings, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scene]:
    """The home just before a step, each made once."""
    folder = tmp_path_factory.mktemp("scenes")
    return cache(lambda step: scene_of(before_publish, folder, step))


@pytest.mark.parametrize("step", ["publish", "evidence", "rollback"])
def test_a_step_killed_at_any_file_operation_leaves_a_whole_version_and_ends_the_same_when_done_again(
    scenes: Callable[[str], Scene], tmp_path: Path, step: str
):
    scene = scenes(step)
    tally = list(kill_all(scene, Plan(KILLS, 0, 1), tmp_path))[-1]
    assert tally.problems == []
    assert tally.kills == min(KILLS, scene.operations) >= 5


@pytest.mark.parametrize(("name", "step", "which"), FAULTS)
def test_what_the_machine_or_another_run_does_to_a_step_is_told_and_leaves_a_whole_version(
    scenes: Callable[[str], Scene], tmp_path: Path, name: str, step: str, which: int
):
    fault = [fault for fault in faults() if (fault.name, fault.step) == (name, step)][which]
    said, wrong = fault.way(scenes(step), tmp_path)
    assert wrong is None
    assert said or name == "clock_back_an_hour"


def test_where_no_disk_can_be_mounted_a_limit_on_files_says_the_same(
    scenes: Callable[[str], Scene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crash_faults, "can_mount", lambda: False)
    said, wrong = struck(scenes("publish"), tmp_path, full=True, at=0.4, says=NO_ROOM)
    assert wrong is None
    assert "no room is left" in said


def test_a_step_of_another_run_is_refused_while_one_is_at_work(before_publish: Settings, tmp_path: Path):
    home = copy_home(before_publish.home, tmp_path / "home")
    settings = Settings(before_publish.bank, home, before_publish.project, before_publish.source_root)
    live = versions.live_version(settings)
    with one_writer(settings), pytest.raises(AnotherAtWork, match="wait until it ends, or stop it, then run again"):
        pipeline.publish_marts(settings, RUN_ID)
    assert versions.live_version(settings) == live
    assert "another run" in pipeline.record_evidence(settings, RUN_ID)["problem"]


def test_a_step_that_is_not_killed_publishes_what_was_audited(before_publish: Settings, scenes: Callable[[str], Scene]):
    scene = scenes("evidence")
    live = versions.live_version(scene.settings_in(scene.home))
    assert live["run_id"] == RUN_ID
    assert live["version"] != versions.live_version(before_publish)["version"]
