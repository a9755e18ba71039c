"""The evidence log: one JSON line an entry, each holding the hash of the one before.

evidence/log.jsonl            {"sequence", "previous", "at", "event", "body", "hash"}
secrets/evidence_head.json    number and hash of the last entry and the hashes of those before, kept apart

A cut or rewritten log is found by the head, and the first entry that is another named. Who replaces log and head together by
an older pair that fits, or by a forged one, cannot be found here: nothing in this place contradicts them. What was given away
before does: the entry that an evidence pack ends with (`evidence/pack.py`), a backup, a head that was noted elsewhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from crm_warehouse.errors import EvidenceBroken
from crm_warehouse.files import read_json, sync, write_json
from crm_warehouse.settings import Settings

GENESIS = "0" * 64


def append(settings: Settings, event: str, body: dict) -> dict:
    """Add an entry; on disk when this returns. A torn last line (a crash while writing) is sealed as such first.

    Raises EvidenceBroken when the log was tampered with: nothing is published on top of a broken log.
    """
    with _locked(settings) as path:
        entries, torn = _read(path)
        problem = _find_problem(settings, entries)
        if problem:
            raise EvidenceBroken(
                f"evidence/log.jsonl: {problem}; keep the log and secrets/evidence_head.json as they are, restore them from"
                " a backup, and find out who changed them"
            )
        _anchor(settings, entries)  # crash upon crash must not leave more than one write beyond the head
        if torn:
            _cut(path, torn)
            sealed = _entry(entries, "torn_line_sealed", {"bytes": len(torn), "sha256": _sha256(torn)})
            _write_line(path, sealed)
            entries.append(sealed)
        entry = _entry(entries, event, body)
        _write_line(path, entry)
        _anchor(settings, [*entries, entry])
        return entry


def _anchor(settings: Settings, entries: list[dict]) -> None:
    if entries:
        *earlier, last = [entry["hash"] for entry in entries]
        write_json(_head_path(settings), {"sequence": len(entries), "hash": last, "earlier": earlier})


def read_head(settings: Settings) -> dict:
    """The anchored head: number and hash of the last entry, and the hashes of the entries before it.

    Raises EvidenceBroken when the file is not what this program writes.
    """
    path = _head_path(settings)
    if not path.is_file():
        return {"sequence": 0, "hash": GENESIS, "earlier": []}
    try:
        head = read_json(path)
        if head["hash"] and len(head.get("earlier", [])) in (0, head["sequence"] - 1):
            return head
    except (ValueError, KeyError, TypeError):
        pass
    raise EvidenceBroken("secrets/evidence_head.json is not as this program writes it: it was changed or damaged")


def read_entries(settings: Settings) -> list[dict]:
    """Every whole entry, oldest first."""
    return _read(_log_path(settings))[0]


def verify(settings: Settings) -> str | None:
    """None when the log is whole, else one sentence that names the first bad entry."""
    entries, torn = _read(_log_path(settings))
    try:
        problem = _find_problem(settings, entries)
    except EvidenceBroken as broken:
        return str(broken)
    if not problem and torn:
        return f"entry {len(entries) + 1} is torn: the process died while writing it; the next run seals it"
    return problem


def _find_problem(settings: Settings, entries: list[dict]) -> str | None:
    head = read_head(settings)
    known = [*head.get("earlier", []), head["hash"]] if head["sequence"] else []
    # A head of an earlier version of this program knows the last one alone.
    before_known = head["sequence"] - len(known)
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        if entry.get("unreadable"):
            return f"entry {number} was changed: it is not as this program writes entries"
        if entry.get("sequence") != number:
            return f"entry {number} says it is number {entry.get('sequence')}: an entry was removed, added or moved"
        if entry.get("previous") != previous:
            return f"entry {number} does not follow entry {number - 1}: one of them was changed"
        if entry.get("hash") != _hash(entry):
            return f"entry {number} was changed: its hash does not fit its content"
        if before_known < number <= head["sequence"] and entry["hash"] != known[number - before_known - 1]:
            return f"entry {number} is not the one the anchored head knows: the log was rewritten from there"
        previous = entry["hash"]
    if len(entries) < head["sequence"]:
        return f"entry {len(entries) + 1} is missing: the anchored head knows {head['sequence']} entries"
    # A crash leaves at most the last write, a seal and an entry, beyond the head.
    if len(entries) > head["sequence"] + 2:
        return "the anchored head is missing or too old, so a cut log would not be noticed"
    return None


def _entry(entries: list[dict], event: str, body: dict) -> dict:
    entry = {
        "sequence": len(entries) + 1,
        "previous": entries[-1]["hash"] if entries else GENESIS,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "event": event,
        "body": body,
    }
    return {**entry, "hash": _hash(entry)}


def _hash(entry: dict) -> str:
    canonical = json.dumps(
        {name: value for name, value in entry.items() if name not in ("hash", "previous")},
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return _sha256((entry["previous"] + canonical).encode("utf-8"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _log_path(settings: Settings) -> Path:
    return settings.evidence / "log.jsonl"


def _head_path(settings: Settings) -> Path:
    return settings.secrets / "evidence_head.json"


def _read(path: Path) -> tuple[list[dict], bytes]:
    """Whole entries, and the bytes after the last newline if the last write was torn."""
    content = path.read_bytes() if path.is_file() else b""
    *lines, torn = content.split(b"\n")
    return [_parse(line) for line in lines], torn


def _parse(line: bytes) -> dict:
    """An entry; what is not written exactly as `line_of` writes it fails verification at its place, not here."""
    try:
        entry = json.loads(line.decode("utf-8"))
        if isinstance(entry, dict) and line_of(entry) == line + b"\n":
            return entry
    except ValueError:
        pass
    return {"previous": "", "hash": "", "unreadable": True}


def line_of(entry: dict) -> bytes:
    """The entry as the log has it."""
    return (json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8")


def _cut(path: Path, torn: bytes) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - len(torn))
        file.flush()
        os.fsync(file.fileno())


def _write_line(path: Path, entry: dict) -> None:
    try:
        with path.open("ab") as file:
            file.write(line_of(entry))
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        problem.filename = problem.filename or str(path)  # writing itself does not say where
        raise
    sync(path.parent)


@contextmanager
def _locked(settings: Settings) -> Iterator[Path]:
    settings.evidence.mkdir(parents=True, exist_ok=True)
    settings.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.evidence / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield _log_path(settings)
