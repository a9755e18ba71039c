"""The command line: the same verbs for people, and never a stack trace for what a person can mend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import Run
from faults.homes import copy_of, environment_of, hashes_of

from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings

RANGE = ("--from", "2026-06-30", "--to", "2026-06-30")


def cli(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`crm-warehouse` as a person would call it, in a home of its own and from another folder."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("CRM_WAREHOUSE_")}
    return subprocess.run(
        [sys.executable, "-m", "crm_warehouse.cli", *arguments],
        env={**mine, "CRM_WAREHOUSE_HOME": str(home), **environment},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


def sentence_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that failed as it should."""
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("crm-warehouse: ")
    return lines[0].removeprefix("crm-warehouse: ")


@pytest.fixture
def live_home(reference_run: Run, tmp_path: Path) -> Settings:
    return copy_of(reference_run, tmp_path / "home")


def test_help_names_every_verb(tmp_path: Path):
    done = cli(tmp_path, "--help")
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in ("demo", "run", "simulate", "status", "rollback", "verify"))


def test_the_console_script_is_the_same_program(tmp_path: Path):
    script = Path(sys.executable).with_name("crm-warehouse")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    module = cli(tmp_path, "--help").stdout.replace("python -m crm_warehouse.cli", "crm-warehouse")
    assert done.stdout.split() == module.split()


@pytest.mark.parametrize("command", [("demo", "--bank"), ("run", *RANGE, "--bank")], ids=["demo", "run"])
def test_an_unknown_bank_is_refused_and_the_known_ones_are_named(tmp_path: Path, command: tuple[str, ...]):
    said = sentence_of(cli(tmp_path / "home", *command, "no_such_bank"))
    assert "unknown bank 'no_such_bank'" in said
    assert "reference_bank" in said


@pytest.mark.parametrize("bank", ["../reference_bank", "reference_bank/../reference_bank", "[bold]x", "x\ny"])
def test_a_bank_whose_name_is_no_name_is_refused(tmp_path: Path, bank: str):
    done = cli(tmp_path / "home", "run", *RANGE, "--bank", bank)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "unknown bank" in done.stderr
    assert bank in done.stderr


@pytest.mark.parametrize("name", ["not there", "[bold]", "[/there]", "数据"])
def test_a_missing_data_folder_is_refused_by_name(tmp_path: Path, name: str):
    absent = tmp_path / name
    assert f"the data folder {absent} does not exist" in sentence_of(
        cli(tmp_path / "home", "run", *RANGE, "--data", str(absent))
    )
    assert str(absent) in sentence_of(cli(tmp_path / "home", "run", *RANGE, CRM_WAREHOUSE_DATA=str(absent)))


@pytest.mark.parametrize("command", [("status",), ("verify",), ("rollback",), ("run", *RANGE)], ids=lambda c: c[0])
def test_a_home_below_a_regular_file_is_refused_by_name(tmp_path: Path, command: tuple[str, ...]):
    file = tmp_path / "file"
    file.touch()
    said = sentence_of(cli(file / "home", *command))
    assert f"cannot write to {file / 'home'}" in said
    assert "CRM_WAREHOUSE_HOME" in said


def test_a_range_without_deliveries_is_refused_and_says_when_the_bank_delivers(tmp_path: Path, simulated_bank: Path):
    command = ("run", "--from", "2020-01-01", "--to", "2020-01-31", "--data", str(simulated_bank))
    said = sentence_of(cli(tmp_path / "home", *command))
    assert "reference_bank delivers nothing from 2020-01-01 to 2020-01-31" in said
    assert "2026-05-31" in said


def test_a_range_that_ends_before_it_begins_is_refused(tmp_path: Path, simulated_bank: Path):
    command = ("run", "--from", "2026-06-30", "--to", "2026-06-01", "--data", str(simulated_bank))
    assert "delivers nothing" in sentence_of(cli(tmp_path / "home", *command))


def test_a_date_that_is_none_is_refused_with_the_format(tmp_path: Path):
    done = cli(tmp_path / "home", "run", "--from", "30.06.2026", "--to", "2026-06-30")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "%Y-%m-%d" in done.stderr


def test_a_missing_extract_is_one_sentence_that_names_the_file(tmp_path: Path):
    empty = tmp_path / "source_systems"
    empty.mkdir()
    said = sentence_of(cli(tmp_path / "home", "run", *RANGE, "--data", str(empty)))
    assert str(empty / "core" / "2026-06-30" / "customers.csv") in said
    assert "is missing; ask the core system to send it" in said


def test_rollback_with_nothing_published_is_refused(tmp_path: Path):
    assert "nothing is published yet" in sentence_of(cli(tmp_path / "home", "rollback"))


def test_rollback_to_an_unknown_version_is_refused(live_home: Settings):
    live = versions.live_version(live_home)
    assert "no such version" in sentence_of(cli(live_home.home, "rollback", "marts_1999-01-01_x_00000000"))
    assert versions.live_version(live_home) == live


def test_status_before_anything_ran_says_what_to_do(tmp_path: Path):
    done = cli(tmp_path / "home", "status")
    assert done.returncode == 0
    assert "nothing is published yet" in done.stdout
    found = json.loads(cli(tmp_path / "home", "status", "--json").stdout)
    assert (found["live"], found["kept"], found["last_run"]) == (None, [], None)


def test_status_as_json_says_what_is_live_kept_and_last(live_home: Settings):
    done = cli(live_home.home, "status", "--json")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    live = versions.live_version(live_home)
    assert found["live"] == live
    assert [version["version"] for version in found["kept"]] == [live["version"]]
    assert found["last_run"]["outcome"] == "published"
    assert found["last_run"]["run_id"] == "reference"
    assert found["evidence"] == "whole"


def test_status_for_people_names_the_live_version_and_every_mart(live_home: Settings):
    done = cli(live_home.home, "status", COLUMNS="200")
    live = versions.live_version(live_home)
    assert done.returncode == 0
    assert live["version"] in done.stdout
    assert all(name in done.stdout for name in live["tables"])


def test_status_changes_nothing(live_home: Settings):
    def state() -> dict[str, int]:
        files = (path for path in live_home.home.rglob("*") if path.is_file())
        return {str(path): path.stat().st_mtime_ns for path in files}

    before = state()
    assert cli(live_home.home, "status").returncode == 0
    assert state() == before


def test_verify_is_green_on_a_whole_home(live_home: Settings):
    done = cli(live_home.home, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("whole:")


def test_verify_refuses_a_live_file_with_one_bit_flipped(live_home: Settings):
    file = live_home.published / versions.live_version(live_home)["file"]
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 4
    file.chmod(0o644)
    file.write_bytes(content)
    said = sentence_of(cli(live_home.home, "verify"))
    assert str(file) in said
    assert "is not the file that was audited" in said


def test_verify_refuses_a_live_file_that_is_gone(live_home: Settings):
    file = live_home.published / versions.live_version(live_home)["file"]
    file.unlink()
    assert str(file) in sentence_of(cli(live_home.home, "verify"))


def test_verify_refuses_a_log_with_one_character_changed_and_names_the_entry(live_home: Settings):
    path = live_home.evidence / "log.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[0] = lines[0].replace("reference_bank", "reference_banc", 1)
    path.write_text("".join(lines), encoding="utf-8")
    assert "entry 1" in sentence_of(cli(live_home.home, "verify"))


READER = """
import json, sys, duckdb
from pathlib import Path
published, stop = Path(sys.argv[1]), Path(sys.argv[2])
reads, seen = 0, []
while not stop.exists():
    pointer = json.loads((published / "current.json").read_text())
    with duckdb.connect(str(published / pointer["file"]), read_only=True) as connection:
        for name, table in pointer["tables"].items():
            rows = connection.execute(f"select count(*) from marts.{name}").fetchone()[0]
            assert rows == table["rows"], (pointer["version"], name, rows)
    reads += 1
    if pointer["version"] not in seen:
        seen.append(pointer["version"])
    if reads == 1:
        print("reading", flush=True)
print(json.dumps({"reads": reads, "seen": seen}))
"""


def test_a_reader_never_fails_while_run_publishes_and_rollback_goes_back_at_once(
    reference_run: Run, live_home: Settings, tmp_path: Path
):
    before, stop = versions.live_version(live_home), tmp_path / "stop"
    command = [sys.executable, "-c", READER, str(live_home.published), str(stop)]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert reader.stdout.readline() == "reading\n"
        # A business date that has landed already: its marts are others.
        done = cli(
            live_home.home, "run", "--from", "2026-06-15", "--to", "2026-06-15",
            **{k: v for k, v in environment_of(live_home).items() if k.startswith("CRM_WAREHOUSE_")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        after = versions.live_version(live_home)
        assert after["business_date"] == "2026-06-15"
        assert after["version"] in done.stdout
        assert str(live_home.published / after["file"]) in done.stdout
        back = cli(live_home.home, "rollback", "--reason", "wrong day")
        assert back.returncode == 0, back.stderr
    finally:
        stop.touch()
        output, error = reader.communicate(timeout=60)
    assert error == ""
    found = json.loads(output)
    assert found["seen"][:2] == [before["version"], after["version"]]
    assert versions.live_version(live_home)["version"] == before["version"]
    assert hashes_of(live_home) == hashes_of(reference_run.settings)
    assert cli(live_home.home, "verify").returncode == 0
    with duckdb.connect(str(live_home.published / before["file"]), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.dim_customers").fetchone()[0] > 0
    entries = (live_home.evidence / "log.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(entries[-1])
    assert last["event"] == "rolled_back"
    assert last["body"]["reason"] == "wrong day"
