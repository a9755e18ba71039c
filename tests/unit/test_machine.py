"""What the machine refuses is one sentence: which file, and what to do. Engines that are not the locked ones are refused."""

from __future__ import annotations

import errno
import os
from importlib.metadata import version
from pathlib import Path

import duckdb
import pytest

from crm_warehouse.errors import ExtractError, MachineRefused
from crm_warehouse.files import write_json
from crm_warehouse.machine import LOCK, refusals_told, refuse_other_engines


def os_error(number: int, *file: str) -> OSError:
    return OSError(number, os.strerror(number), *file)


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (os_error(errno.ENOSPC, "/disk/a.json"), "no room is left to write /disk/a.json: make room on its disk"),
        (os_error(errno.ENOSPC), "no room is left to write a file below /home/of/it: make room on its disk"),
        (os_error(errno.EDQUOT, "/disk/a.json"), "no room is left to write /disk/a.json"),
        (os_error(errno.EFBIG, "/disk/a.json"), "no room is left to write /disk/a.json"),
        (
            duckdb.IOException('IO Error: Could not write file "/disk/a.wal": No space left on device'),
            "write /disk/a.wal:",
        ),
        (os_error(errno.EROFS, "/disk/a.json"), "/disk/a.json cannot be written or read (Read-only file system)"),
        (
            os_error(errno.EACCES, "/disk/.a.tmp", None, "/disk/a"),
            "/disk/a cannot be written or read (Permission denied)",
        ),
        (MemoryError(), "the memory ran out (MemoryError): give this machine more"),
        (os_error(errno.ENOMEM), "the memory ran out (Cannot allocate memory)"),
        (
            duckdb.OutOfMemoryException("Out of Memory Error: failed to pin block of size 256.0 KiB"),
            "the memory ran out",
        ),
        (RuntimeError("can't start new thread"), "the memory ran out (can't start new thread)"),
    ],
)
def test_what_the_machine_refuses_is_told_in_one_sentence(problem: Exception, says: str):
    with pytest.raises(MachineRefused) as told, refusals_told("/home/of/it"):
        raise problem
    assert says in str(told.value)
    assert str(told.value).endswith(", then run again")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "problem", [ValueError("No wonder"), KeyError("a"), ExtractError("/disk/a: Permission denied")]
)
def test_every_other_problem_passes_as_it_is(problem: Exception):
    with pytest.raises(type(problem)) as passed, refusals_told():
        raise problem
    assert passed.value is problem


def test_a_file_that_could_not_be_written_is_named_and_nothing_of_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_json(tmp_path / "a.json", "old")

    def full(_: int) -> None:
        raise os_error(errno.ENOSPC)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineRefused, match=f"no room is left to write {tmp_path / 'a.json'}: "), refusals_told():
        write_json(tmp_path / "a.json", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert "old" in (tmp_path / "a.json").read_text()


def test_the_engines_of_the_lock_are_accepted():
    refuse_other_engines()


@pytest.mark.parametrize("engine", ["duckdb", "dbt-core", "dbt-duckdb", "great-expectations", "pyarrow"])
def test_an_engine_of_another_version_is_refused_by_name(tmp_path: Path, engine: str):
    installed = version(engine)
    locked = LOCK.read_text(encoding="utf-8").replace(f"\n{engine}=={installed} ", f"\n{engine}==0.0.1 ")
    (tmp_path / "requirements.lock").write_text(locked, encoding="utf-8")
    with pytest.raises(MachineRefused, match="install what the lock names") as refused:
        refuse_other_engines(tmp_path / "requirements.lock")
    assert f"{engine} {installed} (locked: 0.0.1)" in str(refused.value)
