"""Landing: immutable batches, each with its original file, its rows as text, and a manifest.

landing/<bank>/<source>/<extract>/business_date=<D>/batch=<n>/
    <original file>   as received; of an API its items as JSON lines, of a database its rows as CSV
    manifest.json     what was received: sha256, rows, totals, schema fingerprint
    rows.parquet      every row as text, with `_source_row`
    accepted.parquet  written by the landing gate: typed, without quarantined rows; the only file dbt reads
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import Delivery
from crm_warehouse.files import read_json, sync, write_json
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.settings import Settings

ACCEPTED = "accepted.parquet"
ROWS = "rows.parquet"


@dataclass(frozen=True)
class Batch:
    """One landed delivery."""

    table: str
    folder: Path
    manifest: dict

    @property
    def business_date(self) -> date:
        return date.fromisoformat(self.manifest["business_date"])

    @property
    def number(self) -> int:
        return self.manifest["batch"]

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["received_at"])

    @property
    def is_accepted(self) -> bool:
        return (self.folder / ACCEPTED).is_file()


def land(settings: Settings, spec: Extract, delivery: Delivery) -> tuple[Batch, bool]:
    """Put a delivery into landing. Returns its batch and whether it is new: the same bytes land once.

    Raises ExtractError when other content already landed under the same sequence number.
    """
    received = delivery.received
    day_folder = _extract_folder(settings, spec) / f"business_date={received.business_date}"
    landed = _batches_of_day(spec, day_folder)
    for batch in landed:
        if batch.manifest["sha256"] == received.sha256:
            return batch, False
    number = len(landed) + 1 if received.sequence is None else received.sequence
    folder = day_folder / f"batch={number}"
    if folder.exists():
        raise ExtractError(
            f"{received.place}: sequence {number} of {received.business_date} has landed with other content;"
            " a corrected delivery must carry the next sequence number"
        )
    arriving = settings.landing / ".arriving" / uuid.uuid4().hex
    arriving.mkdir(parents=True)
    (arriving / received.file).write_bytes(received.content)
    pq.write_table(delivery.rows, arriving / ROWS, compression="zstd")
    manifest = {
        "source": spec.source,
        "extract": spec.name,
        "business_date": received.business_date.isoformat(),
        "batch": number,
        "received_at": received.received_at.isoformat(),
        "file": received.file,
        "sha256": received.sha256,
        "bytes": len(received.content),
        "rows_read": delivery.rows.num_rows + len(delivery.rejected),
        "rows_rejected": [{"source_row": row, "reason": reason} for row, reason in delivery.rejected],
        "control": received.control,
        "schema_fingerprint": _schema_fingerprint(delivery.rows),
        "encoding": None if spec.kind == "parquet" else spec.encoding,
    }
    write_json(arriving / "manifest.json", manifest)
    for file in arriving.iterdir():
        sync(file)
    sync(arriving)
    day_folder.mkdir(parents=True, exist_ok=True)
    arriving.rename(folder)
    sync(day_folder)
    return Batch(spec.table, folder, manifest), True


def clear_arriving(settings: Settings) -> None:
    """Remove what a crashed extract left half written; nothing there was ever visible."""
    shutil.rmtree(settings.landing / ".arriving", ignore_errors=True)


def current_batches(settings: Settings, spec: Extract, dates: list[date]) -> list[Batch]:
    """The batch in force of each date that has one: the highest number, whatever order they came in."""
    folder = _extract_folder(settings, spec)
    days = (_batches_of_day(spec, folder / f"business_date={day}") for day in dates)
    return [max(landed, key=lambda batch: batch.number) for landed in days if landed]


def accepted_before(settings: Settings, spec: Extract, judged: set[date], most: int) -> list[Batch]:
    """The accepted batches in force of the latest `most` business dates before the last of `judged` that are not among
    them, the latest first. What they are is read from their folders' names alone: there may be many."""
    found = []
    for day_folder in sorted(_extract_folder(settings, spec).glob("business_date=*"), reverse=True):
        day = day_folder.name.removeprefix("business_date=")
        if date.fromisoformat(day) < max(judged) and date.fromisoformat(day) not in judged:
            numbers = [_number_of(file.parent) for file in day_folder.glob(f"batch=*/{ACCEPTED}")]
            if numbers:
                folder = day_folder / f"batch={max(numbers)}"
                found.append(Batch(spec.table, folder, {"business_date": day, "batch": max(numbers)}))
                if len(found) == most:
                    break
    return found


def sequence_gap(batch: Batch) -> bool:
    """Whether a number below that of `batch` never landed."""
    numbers = {_number_of(folder) for folder in batch.folder.parent.glob("batch=*")}
    return not numbers >= set(range(1, batch.number))


def _number_of(folder: Path) -> int:
    return int(folder.name.removeprefix("batch="))


def accepted_batches(settings: Settings, profile: Profile, as_of: date) -> list[Batch]:
    """For every extract and business date up to `as_of`, the highest accepted batch, in a fixed order."""
    accepted = []
    for spec in profile.extracts:
        for day_folder in sorted(_extract_folder(settings, spec).glob("business_date=*")):
            if date.fromisoformat(day_folder.name.removeprefix("business_date=")) > as_of:
                continue
            landed = [batch for batch in _batches_of_day(spec, day_folder) if batch.is_accepted]
            accepted += [max(landed, key=lambda batch: batch.number)] if landed else []
    return accepted


def write_batch_index(settings: Settings, batches: list[Batch]) -> Path:
    """Write the index of the batches in force as Parquet, for the engine to join: one row a batch."""
    path = settings.warehouse / "landing_batches.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    index = pa.table(
        {
            "source_table": pa.array([batch.table for batch in batches], pa.string()),
            "business_date": pa.array([batch.business_date for batch in batches], pa.date32()),
            "batch": pa.array([batch.number for batch in batches], pa.int64()),
            "received_at": pa.array([batch.received_at.replace(tzinfo=None) for batch in batches], pa.timestamp("us")),
            "sha256": pa.array([batch.manifest["sha256"] for batch in batches], pa.string()),
        }
    )
    pq.write_table(index, path)
    return path


def _extract_folder(settings: Settings, spec: Extract) -> Path:
    return settings.landing / spec.source / spec.name


def _batches_of_day(spec: Extract, day_folder: Path) -> list[Batch]:
    folders = sorted(day_folder.glob("batch=*"), key=_number_of)
    return [Batch(spec.table, folder, read_json(folder / "manifest.json")) for folder in folders]


def _schema_fingerprint(rows: pa.Table) -> str:
    return hashlib.sha256("\n".join(rows.column_names).encode("utf-8")).hexdigest()[:16]
