"""Whatever is done to the log, the first entry that is no longer what was written is named.

What no check in this place can find is at the end: log and head replaced together by a pair that fits.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from conftest import settings_in
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from test_log import BODIES, entry_named, head_path, log_path

from crm_warehouse.evidence import log
from crm_warehouse.settings import Settings

ENTRIES = 12
EVENTS = ("publish_intended", "run_finished", "waiver_asked", "waiver_approved", "rolled_back", "late_arrivals")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[bytes], list[bytes]]:
    """A log as the program writes it, its lines, and the head after each of them."""
    settings, heads = settings_in(tmp_path_factory.mktemp("log")), []
    for number in range(ENTRIES):
        log.append(settings, EVENTS[number % len(EVENTS)], BODIES[number % len(BODIES)] | {"night": number})
        heads.append(head_path(settings).read_bytes())
    return settings, log_path(settings).read_bytes().splitlines(keepends=True), heads


def chained(entries: list[dict], first: int) -> list[bytes]:
    """Lines of entries that are given numbers and fitting hashes from `first` (from 0) on, as a forger would."""
    for number in range(first, len(entries)):
        entries[number]["sequence"] = number + 1
        entries[number]["previous"] = entries[number - 1]["hash"] if number else log.GENESIS
        entries[number]["hash"] = log._hash(entries[number])
    return [log.line_of(entry) for entry in entries]


def edit_byte(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = draw(st.integers(0, len(lines) - 1))
    place = draw(st.integers(0, len(lines[at]) - 2))
    value = draw(st.integers(0, 255).filter(lambda value: value != lines[at][place]))
    return [*lines[:at], lines[at][:place] + bytes([value]) + lines[at][place + 1 :], *lines[at + 1 :]], at


def edit_field(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = draw(st.integers(0, len(lines) - 1))
    entry = json.loads(lines[at])
    name = draw(st.sampled_from(sorted(entry)))
    entry[name] = draw(st.sampled_from([0, "", "another", None, {"outcome": "published"}]))
    return [*lines[:at], log.line_of(entry), *lines[at + 1 :]], at


def take_field_out(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = draw(st.integers(0, len(lines) - 1))
    entry = json.loads(lines[at])
    del entry[draw(st.sampled_from(sorted(entry)))]
    return [*lines[:at], log.line_of(entry), *lines[at + 1 :]], at


def delete(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = draw(st.integers(0, len(lines) - 1))
    count = draw(st.integers(1, len(lines) - at))
    return lines[:at] + lines[at + count :], at


def repeat(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    at, copied = draw(st.integers(0, len(lines))), draw(st.integers(0, len(lines) - 1))
    # Beside its own original it makes no difference which of the two is the copy: the later one is named.
    return [*lines[:at], lines[copied], *lines[at:]], at + 1 if copied == at else at


def reorder(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    moved = draw(st.permutations(range(len(lines))).filter(lambda order: order != sorted(order)))
    return [lines[place] for place in moved], next(at for at, place in enumerate(moved) if at != place)


def cut(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    """At any byte but a whole log: what is torn after the cut is found too."""
    kept = draw(st.integers(0, len(lines) - 1))
    part = draw(st.integers(0, len(lines[kept]) - 1))
    return [*lines[:kept], lines[kept][:part]], kept


def rewrite(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = draw(st.integers(0, len(lines) - 1))
    entries = [json.loads(line) for line in lines]
    entries[at]["body"] = {"forged": draw(st.integers(0, 9))}
    return chained(entries, at), at


def delete_and_rewrite(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = draw(st.integers(0, len(lines) - 1))
    entries = [json.loads(line) for line in lines[:at] + lines[at + 1 :]]
    return chained(entries, at), at


def insert_and_rewrite(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    at = draw(st.integers(0, len(lines) - 1))
    entries = [json.loads(line) for line in lines]
    entries.insert(at, {**entries[at], "body": {"forged": True}})
    return chained(entries, at), at


def rewrite_and_edit_later(draw, lines: list[bytes]) -> tuple[list[bytes], int]:
    """A clumsy mistake further down must not hide where the forgery begins."""
    forged, at = rewrite(draw, lines)
    if at == len(forged) - 1:
        return forged, at
    later = draw(st.integers(at + 1, len(forged) - 1))
    return [*forged[:later], forged[later].replace(b'"at"', b'"at" ', 1), *forged[later + 1 :]], at


TAMPERINGS = (
    edit_byte,
    edit_field,
    take_field_out,
    delete,
    repeat,
    reorder,
    cut,
    rewrite,
    delete_and_rewrite,
    insert_and_rewrite,
    rewrite_and_edit_later,
)


def test_any_of_500_tamperings_is_found_and_the_first_entry_that_is_not_as_written_is_named(written):
    settings, lines, heads = written
    tried: Counter = Counter()

    @examples(max_examples=600, deadline=None, derandomize=True, database=None)
    @given(data=st.data())
    def tamper(data: st.DataObject) -> None:
        how = data.draw(st.sampled_from(TAMPERINGS))
        changed, first = how(data.draw, list(lines))
        content = b"".join(changed)
        if content == b"".join(lines):
            return  # a field was set to what it was
        head_path(settings).write_bytes(heads[-1])
        log_path(settings).write_bytes(content)
        assert entry_named(log.verify(settings)) == first + 1, how.__name__
        tried[how.__name__] += 1

    tamper()
    assert tried.total() >= 500 and set(tried) == {how.__name__ for how in TAMPERINGS}


@pytest.mark.parametrize("kept", range(1, ENTRIES))
def test_an_older_head_does_not_hide_that_more_was_cut_or_written_since(written, kept: int):
    """The head of entry `kept` beside any log but the ones a crash leaves."""
    settings, lines, heads = written
    head_path(settings).write_bytes(heads[kept - 1])
    for size in range(ENTRIES + 1):
        log_path(settings).write_bytes(b"".join(lines[:size]))
        problem = log.verify(settings)
        if size < kept:
            assert entry_named(problem) == size + 1
        elif size > kept + 2:
            assert "the anchored head is missing or too old" in problem
        else:
            assert problem is None  # what a crash between an entry and its head leaves


def test_a_log_and_a_head_replaced_together_cannot_be_found_here_but_by_what_was_given_away(written):
    """The limit, so that nobody believes otherwise: an older pair fits, and so does a forged one."""
    settings, lines, heads = written
    log_path(settings).write_bytes(b"".join(lines[:5]))
    head_path(settings).write_bytes(heads[4])
    assert log.verify(settings) is None
    entries = [json.loads(line) for line in lines]
    entries[3]["body"] = {"forged": True}
    log_path(settings).write_bytes(b"".join(chained(entries, 3)))
    *earlier, last = [entry["hash"] for entry in entries]
    head = {"sequence": ENTRIES, "hash": last, "earlier": earlier}
    head_path(settings).write_text(json.dumps(head), encoding="utf-8")
    assert log.verify(settings) is None
    # A head that was noted elsewhere, or the last entry of a pack, knows better.
    assert last != json.loads(heads[-1])["hash"]


def test_a_head_of_an_earlier_version_of_this_program_is_understood_and_completed(written, tmp_path: Path):
    """It knew the last entry alone."""
    settings = settings_in(tmp_path)
    _, lines, heads = written
    settings.evidence.mkdir(parents=True)
    settings.secrets.mkdir(parents=True)
    log_path(settings).write_bytes(b"".join(lines))
    head = json.loads(heads[-1])
    head_path(settings).write_text(json.dumps({"sequence": ENTRIES, "hash": head["hash"]}), encoding="utf-8")
    assert log.verify(settings) is None
    log.append(settings, "run_finished", {})
    assert len(log.read_head(settings)["earlier"]) == ENTRIES
    assert log.verify(settings) is None
