"""A delivery: what arrived as it arrived, what its sender says of it, and its rows as text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from crm_warehouse.errors import ExtractError
from crm_warehouse.profile import Extract, Profile

SOURCE_ROW = "_source_row"


@dataclass(frozen=True)
class Received:
    """The bytes of one delivery and what its sender says of them.

    `place` is what people are told of where it came from, never with a secret; `file` is its name in landing.
    `sequence` is None where the sender does not number its deliveries. `control` has the sender's `rows` and
    `total_<column>`s, or is empty; `witness` is who says so: the control file, the API, the database.
    """

    place: str
    file: str
    content: bytes
    sha256: str
    business_date: date
    sequence: int | None
    received_at: datetime
    control: dict[str, str]
    witness: str = "its control file"


@dataclass(frozen=True)
class Delivery:
    """Rows of what was received.

    `rows`: text columns in the profile's order, plus `_source_row`, the line of the original (a header is line 1).
    `rejected`: rows that could not be read at all, as `(source row, reason)`. Rows read = len(rows) + len(rejected).
    """

    received: Received
    rows: pa.Table
    rejected: list[tuple[int, str]] = field(default_factory=list)


def open_file(profile: Profile, spec: Extract, root: Path, business_date: date) -> Received:
    """Read one file and its control file, and check that they belong together."""
    path = spec.path(root, business_date)
    if not path.is_file():
        raise ExtractError(
            f"{spec.table} for {business_date}: {path} is missing; ask the {spec.source} system to send it, then run again"
        )
    content = path.read_bytes()
    if not content:
        raise ExtractError(f"{path} is empty (zero bytes); ask the {spec.source} system to send it again")
    sha256 = hashlib.sha256(content).hexdigest()
    control = _read_control(path, spec) if spec.control else {}
    if control:
        for name, found in (("file", path.name), ("business_date", business_date.isoformat()), ("sha256", sha256)):
            if control[name] != found:
                raise ExtractError(
                    f"{path}: its control file says {name} {control[name]}, but it is {found};"
                    f" the file was damaged or mixed up on the way, ask for it again"
                )
    return Received(
        place=str(path),
        file=path.name,
        content=content,
        sha256=sha256,
        business_date=business_date,
        sequence=int(control["sequence"]) if control else None,
        received_at=sent_at(profile, control["sent_at"]) if control else cut_off_of(profile, business_date),
        control=control,
    )


def _read_control(path: Path, spec: Extract) -> dict[str, str]:
    control_path = path.with_suffix(".ctl")
    if not control_path.is_file():
        raise ExtractError(f"{path}: its control file {control_path.name} is missing; the delivery is not complete yet")
    try:
        lines = control_path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise ExtractError(f"{control_path} is not UTF-8; ask the {spec.source} system to send it again") from None
    control = dict(line.split("=", 1) for line in lines if "=" in line)
    totals = [f"total_{column.name}" for column in spec.columns if column.control_total]
    missing = [
        name
        for name in ("file", "business_date", "sequence", "rows", "sha256", "sent_at", *totals)
        if name not in control
    ]
    if missing:
        raise ExtractError(
            f"{control_path} does not say {', '.join(missing)}; ask the {spec.source} system to complete it"
        )
    try:
        int(control["sequence"]), int(control["rows"]), datetime.fromisoformat(control["sent_at"])
        [Decimal(control[name]) for name in totals]
    except (ValueError, InvalidOperation):
        raise ExtractError(
            f"{control_path}: sequence and rows must be whole numbers, totals decimals, sent_at a time"
        ) from None
    return control


def sent_at(profile: Profile, text: str) -> datetime:
    """When the sender says that it sent the delivery, UTC. A time without a zone is the bank's, never this machine's."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(profile.timezone))
    return moment.astimezone(ZoneInfo("UTC"))


def cut_off_of(profile: Profile, business_date: date) -> datetime:
    """When a delivery counts as received if its sender does not say: the agreed cut-off, UTC. Never the clock."""
    cut_off = time.fromisoformat(profile.delivery_cut_off)
    local = datetime.combine(business_date + timedelta(days=1), cut_off, ZoneInfo(profile.timezone))
    return local.astimezone(ZoneInfo("UTC"))


def prove_complete(spec: Extract, delivery: Delivery) -> None:
    """Rows and totals must be those the sender says; where it says none, there must at least be rows."""
    received, rows = delivery.received, delivery.rows
    # Events and changes may be none on a quiet day, but only when their sender says so.
    if rows.num_rows == 0 and not (spec.may_be_empty and received.control.get("rows") == "0"):
        empty = "has a header but no rows" if spec.file else "has no rows"
        raise ExtractError(f"{received.place} {empty}; ask the {spec.source} system to send it again")
    cut_at_end = [row for row, _ in delivery.rejected] == [rows.num_rows + 2] and spec.last_row_may_be_cut
    if delivery.rejected and not cut_at_end:
        row, reason = delivery.rejected[0]
        more = f" (and {len(delivery.rejected) - 1} more rows)" if len(delivery.rejected) > 1 else ""
        raise ExtractError(
            f"{received.place}, row {row}: {reason}{more}; ask the {spec.source} system to send it again"
        )
    if not received.control:
        return
    if int(received.control["rows"]) != rows.num_rows:
        raise ExtractError(
            f"{received.place} has {rows.num_rows} rows but {received.witness} says {received.control['rows']};"
            " ask for the delivery again"
        )
    for column in spec.columns:
        if column.control_total:
            _prove_total(delivery, column.name, Decimal(received.control[f"total_{column.name}"]))


def _prove_total(delivery: Delivery, column: str, expected: Decimal) -> None:
    received, values = delivery.received, delivery.rows.column(column)
    try:
        numbers = pc.cast(pc.if_else(pc.equal(values, ""), None, values), pa.decimal128(38, 6))
    except pa.ArrowInvalid as problem:
        raise ExtractError(f"{received.place}, column {column}: not a number ({problem})") from None
    total = pc.sum(numbers).as_py() or Decimal(0)
    if total != expected:
        raise ExtractError(
            f"{received.place}: {column} adds up to {total.normalize():f} but {received.witness} says {expected};"
            " ask for the delivery again"
        )
