"""One pointer: what is live, how it moves, and what it can never do."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from conftest import settings_in
from publish.candidates import backdate, candidate_of, content_of, flip_a_bit, lease_from, publish

from crm_warehouse.errors import PublishRefused
from crm_warehouse.files import read_json, sha256_of, write_json
from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings

POINTER_FIELDS = {
    "version", "file", "sha256", "business_date", "run_id", "published_at", "bank", "reporting_currency", "tables",
}  # fmt: skip
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


def test_nothing_is_live_before_the_first_publish(home: Settings):
    assert versions.live_version(home) is None
    assert versions.kept_versions(home) == []


def test_pointer_names_everything_of_its_version(home: Settings):
    version = publish(home, 1)
    pointer = read_json(home.published / "current.json")
    assert pointer == version
    assert set(pointer) >= POINTER_FIELDS
    assert pointer["file"] == f"{pointer['version']}.duckdb"
    assert pointer["version"] == f"marts_2026-06-30_run_001_{pointer['sha256'][:8]}"
    assert pointer["sha256"] == sha256_of(home.published / pointer["file"])
    assert datetime.fromisoformat(pointer["published_at"]).utcoffset().total_seconds() == 0
    assert {name: set(table) for name, table in pointer["tables"].items()} == {
        "a": {"rows", "content_hash"},
        "b": {"rows", "content_hash"},
    }
    assert pointer["tables"]["a"]["rows"] == 3


def test_pointer_is_replaced_and_never_written_in_place(home: Settings):
    publish(home, 1)
    with (home.published / "current.json").open(encoding="utf-8") as held:
        publish(home, 2)
        assert json.load(held)["run_id"] == "run_001"
    assert versions.live_version(home)["run_id"] == "run_002"


def test_published_file_is_read_only(home: Settings):
    version = publish(home, 1)
    assert (home.published / version["file"]).stat().st_mode & 0o222 == 0


def test_nothing_but_versions_and_the_pointer_is_left_after_a_publish(home: Settings):
    version = publish(home, 1)
    names = {path.name for path in home.published.iterdir()}
    described = {f"{version['version']}.json", version["file"], version["version"]}
    assert names == {".lock", "current.json", "current.duckdb"} | described
    assert list(home.warehouse.glob("parquet_*")) == []


def test_same_content_moves_nothing(home: Settings):
    first = publish(home, 1)
    before = (home.published / "current.json").stat().st_mtime_ns
    again = publish(home, 1, run_id="a_later_run")
    assert again == first
    assert (home.published / "current.json").stat().st_mtime_ns == before
    assert len(versions.kept_versions(home)) == 1


@pytest.mark.parametrize("run_id", ["run_002", "a_later_run"])
def test_a_damaged_live_version_is_published_anew_by_a_run_that_finds_the_same(home: Settings, run_id: str):
    first = publish(home, 1)
    damaged = publish(home, 2)
    flip_a_bit(home.published / damaged["file"])
    healed = publish(home, 2, run_id=run_id)
    versions.prove_version(home, versions.live_version(home))
    assert versions.live_version(home) == healed
    assert versions.tables_of_the_bank(healed) == versions.tables_of_the_bank(damaged)
    before = {"run_002": first, "a_later_run": damaged}[run_id]
    assert healed["previous"] == before["version"]


def test_publishing_a_run_twice_moves_the_pointer_once(home: Settings):
    file, audited = candidate_of(home, 1)
    lease = versions.take_lease(home)
    first = versions.publish(home, file, audited, lease, False)
    before = (home.published / "current.json").stat().st_mtime_ns
    assert versions.publish(home, file, audited, lease, False) == first
    assert (home.published / "current.json").stat().st_mtime_ns == before


def test_a_run_started_again_with_other_content_never_passes_off_the_old_version_as_its_own(home: Settings):
    publish(home, 1, run_id="same_run")
    file, audited = candidate_of(home, 2, run_id="same_run")
    try:
        returned = versions.publish(home, file, audited, versions.take_lease(home), False)
    except PublishRefused:
        return
    assert returned["sha256"] == audited["sha256"]
    assert content_of(home) == 2


def test_of_two_runs_from_one_base_the_second_is_refused(home: Settings):
    base = publish(home, 1)
    file, audited = candidate_of(home, 2)
    winner = versions.publish(home, file, audited, lease_from(home, base["version"]), False)
    file, audited = candidate_of(home, 3)
    with pytest.raises(PublishRefused, match="went live while this run worked"):
        versions.publish(home, file, audited, lease_from(home, base["version"]), False)
    assert versions.live_version(home) == winner
    assert content_of(home) == 2


def test_of_two_first_runs_the_second_is_refused(home: Settings):
    winner = publish(home, 1)
    file, audited = candidate_of(home, 2)
    with pytest.raises(PublishRefused):
        versions.publish(home, file, audited, lease_from(home, None), False)
    assert versions.live_version(home) == winner


def test_another_bank_is_refused_without_the_switch_and_taken_with_it(home: Settings):
    live = publish(home, 1)
    with pytest.raises(PublishRefused, match="reference_bank is live here and this run is of eagle_bank"):
        publish(home, 2, bank="eagle_bank")
    assert versions.live_version(home) == live
    assert publish(home, 2, bank="eagle_bank", switch_bank=True)["bank"] == "eagle_bank"


def test_same_content_of_another_bank_is_another_version(home: Settings):
    publish(home, 1)
    assert publish(home, 1, bank="eagle_bank", run_id="eagle", switch_bank=True)["run_id"] == "eagle"


def test_a_candidate_that_changed_by_one_bit_after_the_audit_is_refused(home: Settings):
    live = publish(home, 1)
    file, audited = candidate_of(home, 2)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(PublishRefused, match="is not the file that was audited"):
        versions.publish(home, file, audited, lease_from(home, live["version"]), False)
    assert versions.live_version(home) == live


def test_a_missing_candidate_is_refused(home: Settings):
    file, audited = candidate_of(home, 1)
    file.unlink()
    with pytest.raises(PublishRefused, match="is missing"):
        versions.publish(home, file, audited, lease_from(home, None), False)
    assert versions.live_version(home) is None


def test_a_write_ahead_log_beside_the_candidate_is_refused(home: Settings):
    file, audited = candidate_of(home, 1)
    file.with_name(file.name + ".wal").touch()
    with pytest.raises(PublishRefused, match=r"candidate\.duckdb\.wal lies beside"):
        versions.publish(home, file, audited, lease_from(home, None), False)
    assert versions.live_version(home) is None


def test_a_write_ahead_log_beside_the_published_file_is_refused(home: Settings):
    file, audited = candidate_of(home, 1)
    home.published.mkdir(parents=True)
    (home.published / f"marts_2026-06-30_run_001_{audited['sha256'][:8]}.duckdb.wal").touch()
    with pytest.raises(PublishRefused, match=r"\.duckdb\.wal lies beside"):
        versions.publish(home, file, audited, lease_from(home, None), False)
    assert versions.live_version(home) is None


def stop_before(settings: Settings, content: int, moment: str) -> None:
    """Do what `publish` does up to `moment`, as a process that is killed there would have."""
    file, audited = candidate_of(settings, content)
    version = f"marts_{audited['business_date']}_{audited['run_id']}_{audited['sha256'][:8]}"
    target = settings.published / f"{version}.duckdb"
    settings.published.mkdir(parents=True, exist_ok=True)
    if moment == "copy is whole":
        (settings.published / f".{target.name}.tmp").write_bytes(file.read_bytes()[:5000])
        return
    target.write_bytes(file.read_bytes())
    target.chmod(0o444)
    (settings.published / version).mkdir()
    (settings.published / version / "half_a_set.parquet").touch()
    if moment == "pointer":
        body = {
            "version": version,
            "sequence": 2,
            "file": target.name,
            "published_at": "2026-07-01T00:00:00+00:00",
            **audited,
        }
        write_json(settings.published / f"{version}.json", body)


@pytest.mark.parametrize("moment", ["copy is whole", "description", "pointer"])
def test_a_publish_killed_before_the_pointer_moved_converges_when_run_again(home: Settings, moment: str):
    live = publish(home, 1)
    stop_before(home, 2, moment)
    assert versions.live_version(home) == live
    assert content_of(home) == 1
    publish(home, 2)
    assert content_of(home) == 2
    assert list(home.published.glob(".marts_*")) == []
    versions.prove_version(home, versions.live_version(home))
    assert [v["run_id"] for v in versions.kept_versions(home)].count("run_002") >= 1


def test_a_read_only_copy_that_a_crash_left_does_not_stop_the_next_publish(home: Settings):
    """Without the right to override modes, which root has and the service account has not."""
    file, audited = candidate_of(home, 1)
    home.published.mkdir(parents=True)
    leftover = home.published / f".marts_2026-06-30_run_001_{audited['sha256'][:8]}.duckdb.tmp"
    leftover.write_bytes(file.read_bytes())
    leftover.chmod(0o444)
    code = (
        "import json, sys; from pathlib import Path; from crm_warehouse.publish import versions;"
        "from crm_warehouse.settings import Settings; home = Path(sys.argv[1]);"
        "settings = Settings('reference_bank', home, home, home);"
        "versions.publish(settings, Path(sys.argv[2]), json.loads(sys.argv[3]), versions.take_lease(settings), False)"
    )
    libc = ctypes.CDLL(None)
    done = subprocess.run(
        [sys.executable, "-c", code, str(home.home), str(file), json.dumps(audited)],
        preexec_fn=lambda: libc.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert content_of(home) == 1


def test_28_versions_are_kept_and_a_29th_removes_the_oldest_of_its_bank_only(home: Settings):
    eagle = publish(home, 1000, bank="eagle_bank")
    backdate(home, eagle, "2026-01-01T00:00:00+00:00")
    published = []
    for n in range(1, 30):
        version = publish(home, n, switch_bank=True)
        backdate(home, version, f"2026-06-{n:02d}T20:00:00+00:00")
        published.append(version)
        expected = published[-28:]
        kept = [v["version"] for v in versions.kept_versions(home) if v["bank"] == "reference_bank"]
        assert kept == [v["version"] for v in reversed(expected)]
    assert not (home.published / published[0]["file"]).exists()
    assert all((home.published / v["file"]).is_file() for v in published[1:])
    assert eagle["version"] in {v["version"] for v in versions.kept_versions(home)}
    assert (home.published / eagle["file"]).is_file()


def test_retention_never_removes_the_live_version_even_when_the_clock_went_back(home: Settings):
    for n in range(1, 29):
        backdate(home, publish(home, n), f"2999-01-01T00:00:{n:02d}+00:00")
    live = publish(home, 29)
    assert (home.published / live["file"]).is_file()
    assert content_of(home) == 29


def test_rollback_goes_to_the_version_before_the_live_one_even_when_the_clock_went_back(home: Settings):
    first = publish(home, 1)
    backdate(home, first, "2999-01-01T00:00:00+00:00")
    publish(home, 2)
    assert versions.rollback(home, None)[1]["version"] == first["version"]


def test_rollback_without_a_name_serves_the_version_before_the_live_one(home: Settings):
    for n in (1, 2, 3):
        backdate(home, publish(home, n), f"2026-06-{n:02d}T20:00:00+00:00")
    before, after = versions.rollback(home, None)
    assert (before["run_id"], after["run_id"]) == ("run_003", "run_002")
    assert versions.live_version(home)["run_id"] == "run_002"
    assert content_of(home) == 2
    assert versions.rollback(home, None)[1]["run_id"] == "run_001"


def test_rollback_without_a_name_never_changes_the_bank(home: Settings):
    backdate(home, publish(home, 1, bank="eagle_bank"), "2026-06-01T00:00:00+00:00")
    publish(home, 2, switch_bank=True)
    with pytest.raises(PublishRefused, match="no such version"):
        versions.rollback(home, None)
    assert content_of(home) == 2


def test_rollback_serves_a_named_version_and_can_go_forward_again(home: Settings):
    kept = [publish(home, n) for n in (1, 2, 3)]
    versions.rollback(home, kept[0]["version"])
    assert content_of(home) == 1
    versions.rollback(home, kept[2]["version"])
    assert content_of(home) == 3


def test_rollback_to_an_unknown_version_is_refused_and_names_the_kept_ones(home: Settings):
    first, second = publish(home, 1), publish(home, 2)
    with pytest.raises(PublishRefused, match=first["version"]):
        versions.rollback(home, "marts_1999-01-01_nothing_00000000")
    assert versions.live_version(home) == second


def test_rollback_with_nothing_published_is_refused(home: Settings):
    with pytest.raises(PublishRefused, match="nothing is published"):
        versions.rollback(home, None)


def test_rollback_to_a_file_that_changed_by_one_bit_is_refused(home: Settings):
    first, second = publish(home, 1), publish(home, 2)
    file = home.published / first["file"]
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(PublishRefused, match="sha256 differs"):
        versions.rollback(home, first["version"])
    assert versions.live_version(home) == second


def test_a_run_that_began_before_a_rollback_is_refused(home: Settings):
    first, second = publish(home, 1), publish(home, 2)
    versions.rollback(home, first["version"])
    file, audited = candidate_of(home, 3)
    with pytest.raises(PublishRefused):
        versions.publish(home, file, audited, lease_from(home, second["version"]), False)
    assert content_of(home) == 1


def test_a_reader_keeps_its_version_after_it_was_removed_from_the_folder(home: Settings):
    version = publish(home, 1)
    with duckdb.connect(str(home.published / version["file"]), read_only=True) as reader:
        for n in range(2, 31):
            backdate(home, publish(home, n), f"2999-06-{n:02d}T20:00:00+00:00")
        assert not (home.published / version["file"]).exists()
        assert reader.execute("select max(n), count(*) from marts.a").fetchone() == (1, 3)
        assert reader.execute("select max(n), count(*) from marts.b").fetchone() == (1, 3)
