"""The evidence log shows every later change to itself."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import settings_in
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from crm_warehouse.errors import CrmWarehouseError, EvidenceBroken
from crm_warehouse.evidence import log
from crm_warehouse.settings import Settings

BODIES = [
    {"run_id": "nightly__2026-06-29", "outcome": "published", "rows": 12345},
    {"run_id": "nightly__2026-06-30", "outcome": "failed", "problem": "客户号重复"},
    {"from": "v2", "to": "v1", "reason": "RM asked", "is_new": False, "share": 0.25, "published": None},
    {"run_id": "x", "gates": {"landing_gate": {"planned": 120, "passed": 119, "not_passed": [{"rows": 3}]}}},
]


def log_path(settings: Settings) -> Path:
    return settings.evidence / "log.jsonl"


def head_path(settings: Settings) -> Path:
    return settings.secrets / "evidence_head.json"


def write_log(settings: Settings, entries: int) -> list[bytes]:
    """A whole log of so many entries; returns its lines, each with its newline."""
    for number in range(entries):
        log.append(settings, f"event_{number}", BODIES[number % len(BODIES)])
    assert log.verify(settings) is None
    return log_path(settings).read_bytes().splitlines(keepends=True)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


@contextmanager
def log_of(entries: int) -> Iterator[tuple[Settings, list[bytes]]]:
    """A log in a folder of its own, one for each example."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        yield settings, write_log(settings, entries)


def entry_named(problem: str | None) -> int:
    assert problem, "the change was not found"
    assert problem.count("\n") == 0
    found = re.search(r"entry (\d+)", problem)
    assert found, f"no entry is named: {problem}"
    return int(found[1])


def test_an_absent_log_is_whole(home: Settings):
    assert log.verify(home) is None
    assert log.read_entries(home) == []


def test_chain_of_entries_verifies_and_keeps_order_and_content(home: Settings):
    write_log(home, 4)
    entries = log.read_entries(home)
    assert [entry["sequence"] for entry in entries] == [1, 2, 3, 4]
    assert [entry["body"] for entry in entries] == BODIES
    assert [entry["previous"] for entry in entries] == ["0" * 64, *(entry["hash"] for entry in entries[:-1])]


def test_head_is_kept_apart_and_its_folder_is_its_owners_only(home: Settings):
    write_log(home, 2)
    head = json.loads(head_path(home).read_text(encoding="utf-8"))
    first, last = log.read_entries(home)
    assert head == {"sequence": 2, "hash": last["hash"], "earlier": [first["hash"]]}
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o700


@examples(max_examples=120, deadline=None)
@given(data=st.data())
def test_an_edit_of_any_byte_of_a_line_is_found_and_its_entry_named(data: st.DataObject):
    with log_of(data.draw(st.integers(1, 3))) as (settings, lines):
        line = data.draw(st.integers(0, len(lines) - 1))
        place = data.draw(st.integers(0, len(lines[line]) - 2))
        value = data.draw(st.integers(0, 255).filter(lambda value: value != lines[line][place]))
        lines[line] = lines[line][:place] + bytes([value]) + lines[line][place + 1 :]
        log_path(settings).write_bytes(b"".join(lines))
        assert entry_named(log.verify(settings)) == line + 1


@pytest.mark.parametrize("white", ["\t", "\r"])
def test_an_edit_of_the_white_space_of_a_line_is_found(home: Settings, white: str):
    lines = write_log(home, 3)
    lines[1] = lines[1].replace(b": ", b":" + white.encode(), 1)
    log_path(home).write_bytes(b"".join(lines))
    assert entry_named(log.verify(home)) == 2


def test_an_edit_that_leaves_half_a_surrogate_is_found(home: Settings):
    lines = write_log(home, 2)
    lines[1] = lines[1].replace("客".encode(), b"\xed\xb0\x80", 1)
    log_path(home).write_bytes(b"".join(lines))
    assert entry_named(log.verify(home)) == 2


@examples(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_byte_put_in_or_taken_out_of_a_line_is_found_and_its_entry_named(data: st.DataObject):
    with log_of(data.draw(st.integers(1, 3))) as (settings, lines):
        line = data.draw(st.integers(0, len(lines) - 1))
        place = data.draw(st.integers(0, len(lines[line]) - 2))
        added = data.draw(st.sampled_from([b"", b"0", b"a", b'"', b",", b"\n", b" ", b"\xff"]))
        lines[line] = lines[line][:place] + added + lines[line][place + (not added) :]
        log_path(settings).write_bytes(b"".join(lines))
        assert entry_named(log.verify(settings)) == line + 1


@examples(max_examples=20, deadline=None)
@given(data=st.data())
def test_deletion_of_any_line_is_found_and_its_entry_named(data: st.DataObject):
    with log_of(data.draw(st.integers(1, 5))) as (settings, lines):
        line = data.draw(st.integers(0, len(lines) - 1))
        log_path(settings).write_bytes(b"".join(lines[:line] + lines[line + 1 :]))
        assert entry_named(log.verify(settings)) == line + 1


@examples(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_swap_of_any_two_lines_is_found_and_the_first_named(data: st.DataObject):
    with log_of(data.draw(st.integers(2, 5))) as (settings, lines):
        one, two = sorted(data.draw(st.sets(st.integers(0, len(lines) - 1), min_size=2, max_size=2)))
        lines[one], lines[two] = lines[two], lines[one]
        log_path(settings).write_bytes(b"".join(lines))
        assert entry_named(log.verify(settings)) == one + 1


@examples(max_examples=20, deadline=None)
@given(data=st.data())
def test_truncation_at_any_line_is_found_and_the_first_missing_entry_named(data: st.DataObject):
    with log_of(data.draw(st.integers(1, 5))) as (settings, lines):
        kept = data.draw(st.integers(0, len(lines) - 1))
        log_path(settings).write_bytes(b"".join(lines[:kept]))
        assert entry_named(log.verify(settings)) == kept + 1


def rewrite(lines: list[bytes], first: int, kept: int) -> bytes:
    """Change the body of entry `first` (from 0) and give it and all that follow up to `kept` fitting hashes."""
    entries = [json.loads(line) for line in lines[:kept]]
    entries[first]["body"] = {"forged": True}
    for number in range(first, kept):
        entries[number]["previous"] = entries[number - 1]["hash"] if number else log.GENESIS
        entries[number]["hash"] = log._hash(entries[number])
    return b"".join((json.dumps(e, ensure_ascii=False, sort_keys=True) + "\n").encode() for e in entries)


@examples(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_chain_rewritten_from_any_entry_is_found_and_the_first_of_them_named(data: st.DataObject):
    with log_of(data.draw(st.integers(1, 5))) as (settings, lines):
        first = data.draw(st.integers(0, len(lines) - 1))
        log_path(settings).write_bytes(rewrite(lines, first, len(lines)))
        assert log.verify(settings) == (
            f"entry {first + 1} is not the one the anchored head knows: the log was rewritten from there"
        )


def test_a_lost_log_is_found(home: Settings):
    write_log(home, 3)
    log_path(home).unlink()
    assert entry_named(log.verify(home)) == 1


def test_a_lost_head_is_found(home: Settings):
    write_log(home, 3)
    head_path(home).unlink()
    assert "anchored head is missing" in log.verify(home)


@pytest.mark.parametrize("tampering", ["cut", "cut to nothing", "rewritten", "edited", "head removed"])
def test_what_was_tampered_with_stays_found_after_the_next_append(home: Settings, tampering: str):
    """Else whoever changes the log only has to wait for the next nightly run."""
    lines = write_log(home, 4)
    changed = {
        "cut": b"".join(lines[:2]),
        "cut to nothing": b"",
        "rewritten": rewrite(lines, 1, 4),
        "edited": b"".join([lines[0], lines[1].replace(b"failed", b"passed"), *lines[2:]]),
        "head removed": b"".join(lines[:3]),
    }
    log_path(home).write_bytes(changed[tampering])
    if tampering == "head removed":
        head_path(home).unlink()
    assert log.verify(home)
    try:
        log.append(home, "run_finished", {"run_id": "the next night"})
    except CrmWarehouseError:
        return  # no log, no publish: refused in a sentence is as good
    assert log.verify(home)


@examples(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_torn_last_line_is_named_then_sealed_by_the_next_append_and_then_verifies(data: st.DataObject):
    with log_of(data.draw(st.integers(1, 3))) as (settings, lines):
        size = data.draw(st.integers(1, len(lines[-1]) - 1))
        torn = lines[-1][:size]  # what a fourth line cut anywhere looks like
        with log_path(settings).open("ab") as file:
            file.write(torn)
        problem = log.verify(settings)
        assert entry_named(problem) == len(lines) + 1
        assert "torn" in problem
        log.append(settings, "run_finished", {"run_id": "after the crash"})
        assert log.verify(settings) is None
        sealed, last = log.read_entries(settings)[-2:]
        assert (sealed["event"], sealed["body"]["bytes"]) == ("torn_line_sealed", size)
        assert last["event"] == "run_finished"
        assert log_path(settings).read_bytes().startswith(b"".join(lines))


def test_a_first_line_that_was_torn_is_sealed_too(home: Settings):
    home.evidence.mkdir(parents=True)
    log_path(home).write_bytes(b'{"at": "2026-')
    assert "torn" in log.verify(home)
    log.append(home, "run_finished", {})
    assert log.verify(home) is None
    assert [entry["event"] for entry in log.read_entries(home)] == ["torn_line_sealed", "run_finished"]


def test_a_crash_between_line_and_head_still_verifies_and_the_next_append_goes_on(home: Settings):
    write_log(home, 2)
    head = head_path(home).read_bytes()
    log.append(home, "run_finished", {"run_id": "killed before the head"})
    head_path(home).write_bytes(head)
    assert log.verify(home) is None
    log.append(home, "run_finished", {})
    assert log.verify(home) is None
    assert len(log.read_entries(home)) == 4


def test_a_crash_between_the_very_first_line_and_its_head_does_not_stop_the_log(home: Settings):
    script = (
        "import os, sys; from pathlib import Path; from crm_warehouse.evidence import log;"
        "from crm_warehouse.settings import Settings; home = Path(sys.argv[1]);"
        "real = log.write_json;"
        # The process dies as it is about to anchor the first entry, not when it anchors an empty log.
        "log.write_json = lambda path, body: os._exit(9) if body['sequence'] else real(path, body);"
        "log.append(Settings('reference_bank', home, home, home), 'publish_intended', {})"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(home.home)], check=False)
    assert killed.returncode == 9
    assert len(log.read_entries(home)) == 1
    assert log.verify(home) is None
    log.append(home, "run_finished", {})
    assert log.verify(home) is None


def test_crash_after_crash_between_line_and_head_does_not_stop_the_log(home: Settings):
    """A disk that is full lets a short line through and the head not, night after night."""
    script = (
        "import os, sys; from pathlib import Path; from crm_warehouse.evidence import log;"
        "from crm_warehouse.settings import Settings; home = Path(sys.argv[1]);"
        "settings = Settings('reference_bank', home, home, home); before = len(log.read_entries(settings));"
        "real = log.write_json;"
        # The process dies as soon as its line is there, when it is about to anchor it.
        "log.write_json = lambda path, body: os._exit(9) if body['sequence'] > before else real(path, body);"
        "log.append(settings, 'publish_intended', {})"
    )
    write_log(home, 2)
    for crash in range(4):
        assert subprocess.run([sys.executable, "-c", script, str(home.home)], check=False).returncode == 9
        assert log.verify(home) is None, crash
    log.append(home, "run_finished", {})
    assert log.verify(home) is None
    assert len(log.read_entries(home)) == 7


def test_entries_of_several_processes_at_once_are_one_chain(home: Settings):
    script = (
        "import sys; from pathlib import Path; from crm_warehouse.evidence import log;"
        "from crm_warehouse.settings import Settings; home = Path(sys.argv[1]);"
        "settings = Settings('reference_bank', home, home, home);"
        "[log.append(settings, 'event', {'n': n}) for n in range(20)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(home.home)]) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert log.verify(home) is None
    assert len(log.read_entries(home)) == 80


def test_the_log_of_another_home_does_not_pass_under_this_head(home: Settings, tmp_path: Path):
    write_log(home, 3)
    other = settings_in(tmp_path / "other")
    for number in range(3):
        log.append(other, "run_finished", {"n": number})
    shutil.copyfile(log_path(other), log_path(home))
    assert entry_named(log.verify(home)) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sequence": 3}', '{"sequence": "3", "hash": "x"}'])
def test_a_head_that_is_not_what_this_program_writes_is_one_sentence(home: Settings, content: str):
    write_log(home, 3)
    head_path(home).write_text(content, encoding="utf-8")
    assert "evidence_head.json is not as this program writes it" in log.verify(home)
    with pytest.raises(EvidenceBroken):
        log.append(home, "run_finished", {})


def test_a_log_that_cannot_be_written_is_an_error_and_never_silence(home: Settings):
    home.evidence.mkdir(parents=True)
    log_path(home).mkdir()
    with pytest.raises((OSError, CrmWarehouseError)):
        log.append(home, "run_finished", {})
