"""Opening the live version: proven before it is served, by one stable name too, and never half a night."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb
import pytest
from conftest import settings_in
from publish.candidates import content_of, flip_a_bit, publish

from crm_warehouse.errors import PublishRefused
from crm_warehouse.publish import versions
from crm_warehouse.publish.opening import open_live
from crm_warehouse.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


def read(connection: duckdb.DuckDBPyConnection) -> int:
    return connection.execute("select max(n) from marts.a").fetchone()[0]


def test_the_live_version_is_opened_read_only_and_locked(home: Settings, tmp_path: Path):
    live = publish(home, 1)
    (tmp_path / "other.csv").write_text("a\n1\n")
    opened = open_live(home)
    assert (opened.version, opened.problem, read(opened.connection)) == (live, None, 1)
    for forbidden in (
        "insert into marts.a values (1)",
        f"from read_csv('{tmp_path / 'other.csv'}')",
        f"copy marts.a to '{tmp_path / 'out.csv'}'",
        f"attach '{tmp_path / 'new.duckdb'}'",
        "set enable_external_access = true",
        "set memory_limit = '1GB'",
    ):
        with pytest.raises(duckdb.Error):
            opened.connection.execute(forbidden)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("damage", ["bit", "missing", "cut", "wal"])
def test_a_damaged_live_file_is_found_and_the_version_before_is_served_and_said(
    home: Settings, damage: str, caplog: pytest.LogCaptureFixture
):
    publish(home, 1)
    before = publish(home, 2)
    live = publish(home, 3)
    file = home.published / live["file"]
    file.chmod(0o644)
    if damage == "bit":
        flip_a_bit(file)
    elif damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-4096])
    else:
        file.with_name(file.name + ".wal").touch()
    with caplog.at_level(logging.ERROR, "crm_warehouse"):
        opened = open_live(home)
    assert opened.version == before
    assert read(opened.connection) == 2
    assert live["file"] in opened.problem
    assert f"version {before['version']} of 2026-06-30 is served instead" in opened.problem
    assert opened.problem in caplog.text


def test_an_earlier_version_that_is_damaged_too_is_passed_over(home: Settings):
    kept = [publish(home, n) for n in (1, 2, 3)]
    for version in kept[1:]:
        flip_a_bit(home.published / version["file"])
    assert read(open_live(home).connection) == 1


def test_what_somebody_rolled_back_from_is_not_served_instead(home: Settings):
    first = publish(home, 1)
    publish(home, 2)
    versions.rollback(home, first["version"])
    flip_a_bit(home.published / publish(home, 3)["file"])
    assert read(open_live(home).connection) == 1


def test_another_banks_version_is_never_served_instead(home: Settings):
    publish(home, 1, bank="eagle_bank")
    flip_a_bit(home.published / publish(home, 2, switch_bank=True)["file"])
    with pytest.raises(PublishRefused, match="no published version is whole"):
        open_live(home)


def test_nothing_published_is_said_in_a_sentence(home: Settings):
    with pytest.raises(PublishRefused, match="nothing is published yet"):
        open_live(home)


def test_the_stable_name_follows_every_publish_and_rollback(home: Settings):
    link = home.published / versions.LINK

    def through_link() -> int:
        with duckdb.connect(str(link), read_only=True) as connection:
            return read(connection)

    publish(home, 1)
    assert through_link() == 1
    publish(home, 2)
    assert through_link() == 2
    versions.rollback(home, None)
    assert through_link() == 1
    assert versions.link_is_right(home, versions.live_version(home))


def test_whoever_holds_the_stable_name_open_keeps_its_whole_version_and_who_connects_anew_sees_the_next(home: Settings):
    publish(home, 1)
    with duckdb.connect(str(home.published / versions.LINK), read_only=True) as held:
        publish(home, 2)
        assert held.execute("select (select max(n) from marts.a), (select max(n) from marts.b)").fetchone() == (1, 1)
        with duckdb.connect(str(home.published / versions.LINK), read_only=True) as anew:
            assert read(anew) == 2


def test_a_link_that_a_crash_left_behind_the_pointer_is_put_right_by_the_next_run(home: Settings):
    first, second = publish(home, 1), publish(home, 2)
    link = home.published / versions.LINK
    link.unlink()
    link.symlink_to(first["file"])
    assert not versions.link_is_right(home, second)
    publish(home, 2, run_id="again")
    assert versions.link_is_right(home, second)


def test_a_write_ahead_log_beside_the_stable_name_is_removed_and_never_replayed(home: Settings):
    """Somebody with the right to write opened the link to write; their changes would show in every reader."""
    publish(home, 1)
    wal = home.published / (versions.LINK + ".wal")
    wal.write_bytes(b"rest of a killed writer")
    publish(home, 2)
    assert not wal.exists()
    assert content_of(home) == 2
