"""What retention keeps: the newest, what is pinned, and what a rollback would go to."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import settings_in
from publish.candidates import content_of, flip_a_bit, publish

from crm_warehouse.errors import PublishRefused
from crm_warehouse.evidence import log
from crm_warehouse.publish import kept, versions
from crm_warehouse.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Three versions are kept here, else each test would publish 29 of them."""
    monkeypatch.setattr(kept, "KEPT_VERSIONS", 3)
    return settings_in(tmp_path / "home")


def contents_of(settings: Settings) -> list[int]:
    return sorted(content_of(settings, version) for version in kept.kept_versions(settings))


def test_a_version_that_goes_takes_its_parquet_set_along(home: Settings):
    first = publish(home, 1)
    assert (home.published / first["version"] / "a.parquet").is_file()
    for n in (2, 3, 4):
        publish(home, n)
    assert contents_of(home) == [2, 3, 4]
    assert not (home.published / first["version"]).exists()


def test_a_pinned_version_is_kept_until_it_is_unpinned_and_both_are_on_record(home: Settings):
    first = publish(home, 1)
    kept.pin(home, first["version"], "audit of June")
    for n in (2, 3, 4, 5):
        publish(home, n)
    assert contents_of(home) == [1, 3, 4, 5]
    assert versions.rollback(home, first["version"])[1]["version"] == first["version"]
    kept.unpin(home, first["version"], "audit is over")
    publish(home, 6)
    publish(home, 7)
    assert contents_of(home) == [5, 6, 7]
    events = {entry["event"]: entry["body"] for entry in log.read_entries(home)}
    assert events["version_pinned"] == {"version": first["version"], "reason": "audit of June"}
    assert events["version_unpinned"] == {"version": first["version"], "reason": "audit is over"}


@pytest.mark.parametrize(("version", "reason"), [("marts_none", "why"), (None, " ")])
def test_a_pin_of_nothing_or_without_a_reason_is_refused(home: Settings, version: str | None, reason: str):
    live = publish(home, 1)
    with pytest.raises(PublishRefused, match="no version marts_none to pin|a pin needs a reason"):
        kept.pin(home, version or live["version"], reason)
    assert kept.pins(home) == {}


def test_unpinning_what_is_not_pinned_is_refused(home: Settings):
    with pytest.raises(PublishRefused, match="is not pinned"):
        kept.unpin(home, publish(home, 1)["version"], "why")


def test_after_a_rollback_and_a_new_publish_the_next_rollback_goes_to_what_was_live_and_it_is_still_there(
    home: Settings,
):
    """By number it would be the bad version that somebody rolled back from."""
    for n in (1, 2, 3):
        publish(home, n)
    versions.rollback(home, kept.kept_versions(home)[-1]["version"])
    publish(home, 4)
    assert contents_of(home) == [1, 2, 3, 4]
    versions.rollback(home, None)
    assert content_of(home) == 1


def test_what_a_crash_left_without_a_description_is_removed(home: Settings):
    publish(home, 1)
    (home.published / "marts_2026-06-29_dead_00000000").mkdir()
    (home.published / "marts_2026-06-29_dead_00000000" / "a.parquet").touch()
    (home.published / "marts_2026-06-29_dead_00000000.duckdb.wal").touch()
    (home.published / ".current.duckdb.99.tmp").symlink_to("nowhere")
    (home.warehouse / "parquet_1").mkdir()
    publish(home, 2)
    assert [path for path in home.published.iterdir() if "dead" in path.name or path.name.endswith(".tmp")] == []
    assert list(home.warehouse.glob("parquet_*")) == []


def test_a_rollback_to_a_damaged_parquet_set_is_refused(home: Settings):
    first, second = publish(home, 1), publish(home, 2)
    flip_a_bit(home.published / first["version"] / "b.parquet")
    with pytest.raises(PublishRefused, match=r"b\.parquet is not the file that was published"):
        versions.rollback(home, first["version"])
    assert versions.live_version(home) == second


def test_a_description_that_goes_while_versions_are_listed_is_left_out(home: Settings, monkeypatch: pytest.MonkeyPatch):
    """Whoever lists holds no lock: readers never wait."""
    publish(home, 1)
    second = publish(home, 2)
    read_json = kept.read_json

    def read_while_the_first_goes(path: Path) -> dict:
        if "run_001" in path.name:
            path.unlink(missing_ok=True)
        return read_json(path)

    monkeypatch.setattr(kept, "read_json", read_while_the_first_goes)
    assert kept.kept_versions(home) == [second]
