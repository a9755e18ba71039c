"""Landing: immutable batches, each with its original file, its rows as text, and a manifest.

landing/<bank>/<source>/<extract>/business_date=<D>/batch=<n>/
    <original file>   as received; of an API its items as JSON lines, of a database its rows as CSV; ages out (retention)
    manifest.json     what was received: sha256, rows, totals, schema fingerprint
    rows.parquet      every row as text, with `_source_row`
    accepted.parquet  written by the landing gate: typed, without quarantined rows; the only file dbt reads
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import Delivery
from crm_warehouse.files import json_text, read_json, sync_all
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.settings import Settings

ACCEPTED = "accepted.parquet"
MANIFEST = "manifest.json"
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
    def sha256(self) -> str:
        return self.manifest["sha256"]

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["received_at"])

    @property
    def is_accepted(self) -> bool:
        return (self.folder / ACCEPTED).is_file()


def land(settings: Settings, spec: Extract, delivery: Delivery) -> tuple[Batch, bool]:
    """Put a delivery into landing, taking its files. Returns the batch in force it makes, and whether that is new.

    The same bytes as the batch in force change nothing. Under a number of their own they land, so that the day's
    sequence is whole, but the batch before them stays in force. Raises ExtractError when other content already landed
    under the same sequence number.
    """
    received = delivery.received
    day_folder = extract_folder(settings, spec) / f"business_date={received.business_date}"
    landed = batches_of_day(spec, day_folder)
    if received.sequence is None and landed and landed[-1].sha256 == received.sha256:
        return batch_in_force(landed), False
    number = (landed[-1].number + 1 if landed else 1) if received.sequence is None else received.sequence
    for batch in landed:
        if batch.number == number and batch.sha256 == received.sha256:
            return batch_in_force(landed), False
    folder = day_folder / f"batch={number}"
    if folder.exists():
        if number not in {batch.number for batch in landed}:
            return land(settings, spec, delivery)  # another run has just landed it
        raise ExtractError(
            f"{received.place}: sequence {number} of {received.business_date} has landed with other content;"
            " a corrected delivery must carry the next sequence number"
        )
    try:
        batch = _move_in(settings, spec, delivery, folder, number)
    except OSError:
        if not folder.is_dir():
            raise
        return land(settings, spec, delivery)  # another run was faster: what it landed decides
    in_force = batch_in_force(batches_of_day(spec, day_folder))
    # A batch of a lower number than the one in force is new, too: it came late and is kept.
    return (in_force, False) if in_force.sha256 == batch.sha256 and in_force.number < number else (batch, True)


def _move_in(settings: Settings, spec: Extract, delivery: Delivery, folder: Path, number: int) -> Batch:
    """Make the batch beside landing, then let it appear whole: one rename, after everything in it is on disk."""
    received = delivery.received
    rows_read = delivery.row_count + len(delivery.rejected)
    with pq.ParquetFile(delivery.rows_file) as file:
        schema = file.schema_arrow
        if file.metadata.num_rows != delivery.row_count:
            raise ExtractError(f"{received.place}: not every row that was read was written; run again")
    manifest = {
        "source": spec.source,
        "extract": spec.name,
        "business_date": received.business_date.isoformat(),
        "batch": number,
        "received_at": received.received_at.isoformat(),
        "file": received.file,
        "sha256": received.sha256,
        "bytes": received.size,
        "rows_read": rows_read,
        "rows_rejected": [{"source_row": row, "reason": reason} for row, reason in delivery.rejected],
        "control": received.control,
        "schema_fingerprint": _schema_fingerprint(schema),
        "encoding": None if spec.kind == "parquet" else spec.encoding,
    }
    arriving = received.original.parent
    if received.beside:
        manifest["beside"] = list(received.beside)
    if arriving.parent != arriving_folder(settings):  # made elsewhere, maybe on another disk
        elsewhere, arriving = arriving, arriving_folder(settings) / uuid.uuid4().hex
        arriving.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(elsewhere, arriving)
    (arriving / MANIFEST).write_text(json_text(manifest), encoding="utf-8")
    sync_all([*arriving.iterdir(), arriving])
    day_is_new = not folder.parent.is_dir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    arriving.rename(folder)
    sync_all([folder.parent, *([folder.parent.parent] if day_is_new else [])])
    return Batch(spec.table, folder, manifest)


def arriving_folder(settings: Settings) -> Path:
    """Where deliveries are made ready; on the same disk as landing, and never looked at as landed."""
    return settings.landing / ".arriving"


@contextmanager
def deliveries_arriving(settings: Settings) -> Iterator[None]:
    """As long as deliveries are made ready, nobody clears them away; many may be at it."""
    with _arriving_lock(settings) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def none_arriving(settings: Settings) -> Iterator[None]:
    """While no delivery is made ready, and none begins to be."""
    with _arriving_lock(settings) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def clear_arriving(settings: Settings) -> None:
    """Remove what a crashed extract left half written; nothing there was ever visible. While another run extracts, nothing."""
    with _arriving_lock(settings) as lock, suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(arriving_folder(settings), ignore_errors=True)


def _arriving_lock(settings: Settings) -> IO[bytes]:
    settings.landing.mkdir(parents=True, exist_ok=True)
    return (settings.landing / ".lock").open("ab")


def batch_in_force(batches: list[Batch]) -> Batch:
    """Of the batches of a day the one with the highest number; of those before it with the same bytes, the first.

    So the same bytes sent again change nothing, and A, B, A puts A back. The order of arrival does not matter.
    """
    *before, in_force = sorted(batches, key=lambda batch: batch.number)
    for batch in reversed(before):
        if batch.sha256 != in_force.sha256:
            break
        in_force = batch
    return in_force


def sequence_gaps(batches: list[Batch]) -> list[int]:
    """Sequence numbers of a day that have not come, though a higher one has."""
    numbers = {batch.number for batch in batches}
    return sorted(set(range(1, max(numbers, default=0))) - numbers)


def redelivered(batches: list[Batch]) -> list[int]:
    """Sequence numbers of a day that brought the same bytes as the one before."""
    pairs = pairwise(sorted(batches, key=lambda batch: batch.number))
    return [after.number for before, after in pairs if after.sha256 == before.sha256]


def current_batches(settings: Settings, spec: Extract, dates: list[date]) -> list[Batch]:
    """The batch in force of each date that has one, whatever order they came in."""
    days = (batches_on(settings, spec, day) for day in dates)
    return [batch_in_force(landed) for landed in days if landed]


def accepted_before(settings: Settings, spec: Extract, judged: set[date], most: int) -> list[Batch]:
    """The accepted batches in force of the latest `most` business dates before the last of `judged` that are not among
    them, the latest first."""
    found = []
    for day in reversed(landed_dates(settings, spec)):
        if day < max(judged) and day not in judged and (batch := accepted_on(settings, spec, day)):
            found.append(batch)
            if len(found) == most:
                break
    return found


def accepted_batches(
    settings: Settings, profile: Profile, as_of: date, received_before: datetime | None = None
) -> list[Batch]:
    """For every extract and business date up to `as_of`, the accepted batch in force, in a fixed order.

    With `received_before`, as it stood just before that moment.
    """
    accepted = []
    for spec in profile.extracts:
        for day in landed_dates(settings, spec):
            batch = accepted_on(settings, spec, day, received_before) if day <= as_of else None
            accepted += [batch] if batch else []
    return accepted


def accepted_on(settings: Settings, spec: Extract, day: date, received_before: datetime | None = None) -> Batch | None:
    """The accepted batch in force of one business date: the batch in force, else the best that was accepted."""
    landed = [b for b in batches_on(settings, spec, day) if received_before is None or b.received_at < received_before]
    kept = [batch for batch in landed if batch.is_accepted]
    if not kept:
        return None
    in_force = batch_in_force(landed)
    return in_force if in_force.is_accepted else batch_in_force(kept)


def landed_dates(settings: Settings, spec: Extract) -> list[date]:
    """Business dates that have a folder in landing, oldest first."""
    folders = extract_folder(settings, spec).glob("business_date=*")
    return sorted(date.fromisoformat(folder.name.removeprefix("business_date=")) for folder in folders)


def write_batch_index(
    settings: Settings,
    batches: list[Batch],
    name: str = "landing_batches",
    held_back: Mapping[Path, list[int]] = MappingProxyType({}),
) -> Path:
    """Write the index of the batches in force as Parquet, for the engine to join: one row a batch.

    `received_at` is when its business date first came: a correction does not make known what was known before (what it
    changes begins a new belief, see beliefs.py). `held_back`, by folder: source rows that are in the accepted ones today
    but were not yet then; null for nearly every batch.
    """
    path = settings.warehouse / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    index = pa.table(
        {
            "source_table": pa.array([batch.table for batch in batches], pa.string()),
            "business_date": pa.array([batch.business_date for batch in batches], pa.date32()),
            "batch": pa.array([batch.number for batch in batches], pa.int64()),
            "received_at": pa.array(
                [_first_received(batch).replace(tzinfo=None) for batch in batches], pa.timestamp("us")
            ),
            "sha256": pa.array([batch.manifest["sha256"] for batch in batches], pa.string()),
            "held_back": pa.array([held_back.get(batch.folder) for batch in batches], pa.list_(pa.int64())),
        }
    )
    pq.write_table(index, path)
    return path


def _first_received(batch: Batch) -> datetime:
    landed = (
        Batch(batch.table, path.parent, read_json(path)) for path in batch.folder.parent.glob(f"batch=*/{MANIFEST}")
    )
    return min((other.received_at for other in landed if other.is_accepted), default=batch.received_at)


def extract_folder(settings: Settings, spec: Extract) -> Path:
    return settings.landing / spec.source / spec.name


def batches_on(settings: Settings, spec: Extract, day: date) -> list[Batch]:
    """Every batch that landed for one business date, by number."""
    return batches_of_day(spec, extract_folder(settings, spec) / f"business_date={day}")


def batches_of_day(spec: Extract, day_folder: Path) -> list[Batch]:
    folders = sorted(day_folder.glob("batch=*"), key=lambda folder: int(folder.name.removeprefix("batch=")))
    return [Batch(spec.table, folder, read_json(folder / MANIFEST)) for folder in folders]


def _schema_fingerprint(schema: pa.Schema) -> str:
    return hashlib.sha256("\n".join(schema.names).encode("utf-8")).hexdigest()[:16]
