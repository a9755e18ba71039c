"""A paused run that wakes after a newer one is refused, also where what is live looks as it did when it began."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import settings_in
from publish.candidates import candidate_of, content_of, publish

from crm_warehouse.errors import PublishRefused
from crm_warehouse.files import read_json, write_json
from crm_warehouse.publish import leases, versions
from crm_warehouse.publish.leases import Lease
from crm_warehouse.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


def wake(settings: Settings, lease: Lease, content: int) -> dict:
    """What a run does that was paused before it published."""
    file, audited = candidate_of(settings, content)
    return versions.publish(settings, file, audited, lease, False)


def test_numbers_grow_from_run_to_run_and_the_pointer_tells_that_of_its_version(home: Settings):
    leases = [versions.take_lease(home) for _ in range(3)]
    assert [lease.token for lease in leases] == [1, 2, 3]
    assert wake(home, leases[2], 3)["fencing_token"] == 3
    assert versions.live_version(home)["fencing_token"] == 3


def test_a_zombie_is_refused_after_a_newer_version_was_published_and_rolled_back(home: Settings):
    """Compare and swap alone lets it pass: the version that it began from is live again."""
    first = publish(home, 1)
    zombie = versions.take_lease(home)
    publish(home, 2)
    versions.rollback(home, None)
    assert versions.live_version(home)["version"] == zombie.live == first["version"]
    with pytest.raises(PublishRefused, match="a newer run published or rolled back while this run worked"):
        wake(home, zombie, 3)
    assert content_of(home) == 1


def test_a_zombie_is_refused_after_a_newer_run_that_found_nothing_to_change(home: Settings):
    publish(home, 1)
    zombie = versions.take_lease(home)
    publish(home, 1, run_id="newer")
    with pytest.raises(PublishRefused, match="a newer run"):
        wake(home, zombie, 2)
    assert content_of(home) == 1


def test_an_earlier_attempt_of_the_same_run_is_refused_once_it_was_planned_anew_and_published(home: Settings):
    publish(home, 1)
    zombie = versions.take_lease(home)
    publish(home, 2, run_id="same_run")
    file, audited = candidate_of(home, 3, run_id="same_run")
    with pytest.raises(PublishRefused, match="a newer run"):
        versions.publish(home, file, audited, zombie, False)
    assert content_of(home) == 2


def test_an_older_run_that_is_faster_than_a_newer_one_publishes_and_the_newer_is_refused(home: Settings):
    publish(home, 1)
    older, newer = versions.take_lease(home), versions.take_lease(home)
    wake(home, older, 2)
    with pytest.raises(PublishRefused, match="went live while this run worked"):
        wake(home, newer, 3)
    assert content_of(home) == 2


def test_a_run_that_only_planned_keeps_nobody_from_publishing(home: Settings):
    older = versions.take_lease(home)
    versions.take_lease(home)
    assert wake(home, older, 1)["fencing_token"] == older.token


def test_a_publish_killed_after_its_number_passed_and_before_the_pointer_moved_ends_when_run_again(
    home: Settings, monkeypatch: pytest.MonkeyPatch
):
    publish(home, 1)
    lease = versions.take_lease(home)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(versions, "_place", killed)
        with pytest.raises(KeyboardInterrupt):
            wake(home, lease, 2)
    assert content_of(home) == 1
    assert wake(home, lease, 2)["fencing_token"] == lease.token
    assert content_of(home) == 2


def test_a_lost_file_of_numbers_is_made_up_for_by_the_pointer(home: Settings):
    zombie = versions.take_lease(home)
    for n in (1, 2):
        publish(home, n)
    versions.rollback(home, None)
    (home.home / "leases.json").unlink()
    assert versions.take_lease(home).token == versions.live_version(home)["fencing_token"] + 1
    with pytest.raises(PublishRefused, match="a newer run"):
        wake(home, Lease(zombie.token, versions.live_version(home)["version"]), 3)


def test_numbers_do_not_depend_on_clocks(home: Settings):
    publish(home, 1)
    body = read_json(home.published / versions.POINTER)
    write_json(home.published / versions.POINTER, {**body, "published_at": "2999-01-01T00:00:00+00:00"})
    assert publish(home, 2)["fencing_token"] == body["fencing_token"] + 1
    assert content_of(home) == 2


RUN = """
import json, sys; from pathlib import Path
from crm_warehouse.errors import PublishRefused
from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings
home, file, audited = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
settings = Settings("reference_bank", home, home, home)
lease = versions.take_lease(settings)
print("planned", flush=True)
sys.stdin.readline()  # paused, until somebody wakes it
try:
    print(versions.publish(settings, file, audited, lease, False)["run_id"])
except PublishRefused as refused:
    print("refused:", refused)
"""


def start(settings: Settings, content: int) -> subprocess.Popen:
    """A run in a process of its own, planned and then paused."""
    file, audited = candidate_of(settings, content)
    file = file.rename(file.with_name(f"candidate_{content}.duckdb"))
    command = [sys.executable, "-c", RUN, str(settings.home), str(file), json.dumps(audited)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "planned\n"
    return process


def test_of_runs_of_one_date_in_processes_of_their_own_one_publishes(home: Settings):
    runs = [start(home, content) for content in (1, 2, 3, 4)]
    for run in runs:
        run.stdin.write("\n")
        run.stdin.flush()
    said = [run.communicate(timeout=60)[0].strip() for run in runs]
    published = [line for line in said if not line.startswith("refused: ")]
    assert published == [versions.live_version(home)["run_id"]]
    assert len(versions.kept_versions(home)) == 1


def test_a_process_that_sleeps_through_a_newer_publish_and_its_rollback_is_refused_when_it_wakes(home: Settings):
    publish(home, 1)
    zombie = start(home, 9)
    publish(home, 2)
    versions.rollback(home, None)
    assert zombie.communicate("\n", timeout=60)[0].startswith("refused: a newer run published or rolled back")
    assert content_of(home) == 1


def test_a_process_that_hangs_with_the_pointer_locked_is_named(home: Settings, monkeypatch: pytest.MonkeyPatch):
    publish(home, 1)
    monkeypatch.setattr(leases, "PATIENCE_SECONDS", 0)
    with (home.published / ".lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.truncate(0)
        held.write("4711")
        held.flush()
        with pytest.raises(PublishRefused, match="process 4711 has been publishing"):
            versions.rollback(home, None)
