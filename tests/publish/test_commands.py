"""The commands on what is published, as a person calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import settings_in
from publish.candidates import flip_a_bit, publish, publish_customers
from publish.serving_database import ask, clean

from crm_warehouse.publish import serving, versions
from crm_warehouse.settings import Settings


def cli(settings: Settings, *arguments: str, database: str | None = None) -> subprocess.CompletedProcess[str]:
    mine = {name: value for name, value in os.environ.items() if name != serving.VARIABLE}
    given = {serving.VARIABLE: database} if database else {}
    return subprocess.run(
        [sys.executable, "-m", "crm_warehouse.cli", *arguments],
        env={**mine, **given, "CRM_WAREHOUSE_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path / "home")
    publish(settings, 1)
    publish_customers(settings)
    return settings


def test_a_pin_is_shown_by_the_status_until_it_is_taken_away(home: Settings):
    version = versions.live_version(home)["version"]
    assert cli(home, "pin", version, "--reason", "audit [June]").returncode == 0
    assert "pinned: audit [June]" in cli(home, "status").stdout
    assert json.loads(cli(home, "status", "--json").stdout)["pinned"] == {version: "audit [June]"}
    assert cli(home, "unpin", version, "--reason", "over").returncode == 0
    assert json.loads(cli(home, "status", "--json").stdout)["pinned"] == {}


def test_a_rollback_takes_the_database_along_and_says_so_where_it_cannot(home: Settings, postgresql: str):
    clean(postgresql)
    assert "served:" in cli(home, "serve", database=postgresql).stdout
    live = versions.live_version(home)["version"]
    assert cli(home, "rollback", database=postgresql).returncode == 0
    assert ask(postgresql, "select max(n) from marts.a") == [(1,)]
    done = cli(home, "rollback", live)
    assert "PostgreSQL was served before and is not configured here" in done.stdout
    assert "BEHIND" in cli(home, "status", database=postgresql).stdout
    assert json.loads(cli(home, "status", "--json", database=postgresql).stdout)["serving"]["is_live"] is False
    assert cli(home, "serve", database=postgresql).returncode == 0
    assert "same as files" in cli(home, "status", database=postgresql).stdout
    clean(postgresql)


def test_serving_without_a_database_says_what_to_set(home: Settings):
    done = cli(home, "serve")
    assert done.returncode == 1
    assert f"set {serving.VARIABLE} to postgresql://" in done.stderr


def test_an_export_says_where_it_is_and_an_unknown_manager_is_one_sentence(home: Settings):
    done = cli(home, "export", "rm", "R00001", "--csv")
    folder = Path(done.stdout.split("exported:")[1].strip())
    assert folder == home.exports / "rm" / "R00001" / versions.live_version(home)["version"]
    assert (folder / "fct_values.csv").is_file()
    refused = cli(home, "export", "rm", "R99999")
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1


def test_verify_finds_a_flipped_bit_in_any_kept_version_and_in_its_parquet_set(home: Settings):
    assert cli(home, "verify").returncode == 0
    oldest = versions.kept_versions(home)[-1]
    for file in (home.published / oldest["file"], home.published / oldest["version"] / "a.parquet"):
        flip_a_bit(file)
        done = cli(home, "verify")
        assert done.returncode == 1
        assert file.name in done.stderr
        flip_a_bit(file)
    assert cli(home, "verify").returncode == 0
