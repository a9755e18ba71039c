"""The last steps of a run, killed before one file operation after another: the small version of `make crash`."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import LAST, Run
from faults.homes import copy_of

from benchmarks.crash import Plan, kill_all
from benchmarks.crash_points import RUN_ID
from benchmarks.crash_scenes import Scene, copy_home, make_scene, step_forward
from crm_warehouse import pipeline
from crm_warehouse.files import sha256_of, write_json
from crm_warehouse.progress import silent
from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings

KILLS = 8  # of a step; `make crash` has all of them, and the steps before


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
    for earlier in ("publish", "evidence")[: ("publish", "evidence", "rollback").index(step)]:
        step_forward(settings, earlier)
    return make_scene(home, settings.source_root, step)


@pytest.mark.parametrize("step", ["publish", "evidence", "rollback"])
def test_a_step_killed_at_any_file_operation_leaves_a_whole_version_and_ends_the_same_when_done_again(
    before_publish: Settings, tmp_path: Path, step: str
):
    scene = scene_of(before_publish, tmp_path, step)
    tally = list(kill_all(scene, Plan(KILLS, 0, 1), tmp_path))[-1]
    assert tally.problems == []
    assert tally.kills == min(KILLS, scene.operations) >= 5


def test_a_step_that_is_not_killed_publishes_what_was_audited(before_publish: Settings, tmp_path: Path):
    scene = scene_of(before_publish, tmp_path, "evidence")
    live = versions.live_version(scene.settings_in(scene.home))
    assert live["run_id"] == RUN_ID
    assert live["version"] != versions.live_version(before_publish)["version"]
