"""What people decide on rows in quarantine: release or discard, by whom and why, for good.

quarantine/<bank>/<source>/<extract>/business_date=<D>/
    batch=<n>.parquet          rows set aside: rule_id, _source_row and the row as text
    batch=<n>.decisions.json   decisions on them, oldest first; an entry is never changed, the last one on a row counts

Decisions are in the evidence log before they are in the file. The accepted rows follow from landing, quarantine and
decisions alone (`held_rows`): the same of each give the same bytes.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from crm_warehouse.errors import DecisionRefused
from crm_warehouse.evidence import log
from crm_warehouse.files import read_json, write_json
from crm_warehouse.landing import Batch
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.duckdb_engine import connect
from crm_warehouse.settings import Settings

RELEASE, DISCARD = "release", "discard"
Mark = tuple[str, int]  # rule id and source row: one reason why one row is set aside


def quarantine_file(settings: Settings, spec: Extract, day: date, batch: int) -> Path:
    return settings.quarantine / spec.source / spec.name / f"business_date={day}" / f"batch={batch}.parquet"


def decisions_file(file: Path) -> Path:
    """Where the decisions on the rows of one quarantine file stand."""
    return file.with_suffix(".decisions.json")


def read_marks(file: Path) -> list[Mark]:
    """Why each row is set aside, by row; empty where there is no quarantine."""
    if not file.is_file():
        return []
    kept = pq.read_table(file, columns=["rule_id", "_source_row"], partitioning=None)
    return sorted(
        zip(kept["rule_id"].to_pylist(), kept["_source_row"].to_pylist(), strict=True), key=lambda mark: mark[::-1]
    )


def read_decisions(file: Path) -> list[dict]:
    path = decisions_file(file)
    return read_json(path) if path.is_file() else []


def decided(file: Path, before: datetime | None = None) -> dict[Mark, str]:
    """The decision in force on each mark that has one; with `before`, as it was just before that moment."""
    return {
        (rule, row): entry["decision"]
        for entry in read_decisions(file)
        if before is None or datetime.fromisoformat(entry["decided_at"]) < before
        for rule, row in entry["marks"]
    }


def released_at(file: Path) -> list[datetime]:
    """The moments at which rows of one quarantine file were released."""
    return [
        datetime.fromisoformat(entry["decided_at"]) for entry in read_decisions(file) if entry["decision"] == RELEASE
    ]


def fingerprints(settings: Settings) -> dict[str, str]:
    """For each business date with decisions, one hash over all of them: what accepted rows must have been made with."""
    digests: dict[str, hashlib._Hash] = {}
    for path in sorted(settings.quarantine.glob("*/*/business_date=*/batch=*.decisions.json")):
        digest = digests.setdefault(path.parent.name.removeprefix("business_date="), hashlib.sha256())
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(settings.quarantine)}\0{content}\n".encode())
    return {f"decisions on {day}": digest.hexdigest() for day, digest in sorted(digests.items())}


def decide(
    settings: Settings, spec: Extract, file: Path, decision: str, marks: list[Mark], by: str, reason: str, where: dict
) -> list[Mark]:
    """Put a decision on record, then in force. Returns the marks it changes; DecisionRefused when it changes none."""
    if not by.strip() or not reason.strip():
        raise DecisionRefused(f"to {decision} rows takes a person's name and a reason: give --by and --reason")
    with _locked(settings):
        in_force = decided(file)
        changed = [mark for mark in marks if in_force.get(mark) != decision]
        if not changed:
            raise DecisionRefused(
                f"{spec.table} of {where['business_date']}: it was decided before to {decision} these rows;"
                " `crm-warehouse quarantine show` says by whom"
            )
        body = {**where, "decision": decision, "marks": [list(mark) for mark in changed], "by": by, "reason": reason}
        entry = log.append(settings, "quarantine_decided", {"bank": settings.bank, **body})
        at = datetime.now(UTC).isoformat(timespec="seconds")
        kept = {name: body[name] for name in ("decision", "marks", "by", "reason")}
        kept |= {"decided_at": at, "evidence_entry": entry["sequence"]}
        write_json(decisions_file(file), [*read_decisions(file), kept])
    return changed


def lift_released(settings: Settings, profile: Profile, database: Path, batches: dict[str, list[Batch]]) -> None:
    """Take what was released out of what the gate sets aside: a row is never set aside again for the same reason."""
    released = [
        (spec.table, batch.business_date, batch.number, row, rule)
        for spec in profile.extracts
        for batch in batches[spec.table]
        for (rule, row), decision in decided(quarantine_file(settings, spec, batch.business_date, batch.number)).items()
        if decision == RELEASE
    ]
    if released:
        with connect(database) as connection:
            connection.executemany(
                "delete from _quarantined where (source_table, business_date, batch, _source_row, rule_id) = (?, ?, ?, ?, ?)",
                released,
            )


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    with (settings.quarantine / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
