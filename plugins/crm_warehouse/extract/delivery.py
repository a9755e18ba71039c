"""A delivery: what arrived as it arrived, what its sender says of it, and its rows as text. All of it in files.

Nothing here holds a delivery in memory: the original and the rows are files in a folder of the delivery's own, which
goes when the delivery does, unless landing has taken them.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import uuid
import weakref
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.errors import ExtractError
from crm_warehouse.profile import Extract, Profile

SOURCE_ROW = "_source_row"
ROWS = "rows.parquet"
CHUNK = 1 << 20
# What a fact of a control file looks like; anything else in its place is not repeated, it may be a customer's.
FACTS = {"file": r"[\w.+-]{1,120}", "business_date": r"[0-9-]{8,10}", "sha256": r"[0-9a-fA-F]{64}"}


class Workplace:
    """A folder of its own for one delivery, below `root` or among the system's temporary files; removed with it."""

    def __init__(self, root: Path | None = None):
        if root is None:
            self.folder = Path(tempfile.mkdtemp(prefix="crm_warehouse_"))
        else:
            self.folder = root / uuid.uuid4().hex
            self.folder.mkdir(parents=True)
        self.remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


class HashingFile:
    """Writes to a file what is written to it, and keeps the sha256 and the size of it."""

    def __init__(self, file: BinaryIO):
        self._file, self._digest, self.size = file, hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        self._digest.update(content)
        self.size += len(content)
        return self._file.write(content)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


@dataclass(frozen=True)
class Received:
    """One delivery as it was sent and what its sender says of it.

    `place` is what people are told of where it came from, never with a secret; `file` is its name in landing,
    `original` the file itself, in the delivery's folder, `size` its bytes. `sequence` is None where the sender does not
    number its deliveries. `control` has the sender's `rows` and `total_<column>`s, or is empty; `witness` is who says so:
    the control file, the API, the database. `beside`: files like it that lay there and that nobody asked for.
    """

    place: str
    file: str
    original: Path
    size: int
    sha256: str
    business_date: date
    sequence: int | None
    received_at: datetime
    control: dict[str, str]
    witness: str = "its control file"
    beside: tuple[str, ...] = ()
    workplace: Workplace | None = field(default=None, repr=False, compare=False)

    @property
    def identity(self) -> dict[str, str]:
        """What may go on record of a delivery that is not kept."""
        return {"business_date": self.business_date.isoformat(), "file": self.file, "sha256": self.sha256}


@dataclass(frozen=True)
class Delivery:
    """Rows of what was received.

    `rows_file`: Parquet of text columns in the profile's order, plus `_source_row`, the line of the original (a header, if
    it has one, is line 1). `rejected`: rows that are not in it, as `(source row, reason)`. Rows read = row_count + len(rejected).
    `oversized`: those of `rejected` that are whole, but hold a value too long to be one. `totals`: of the columns with a
    control total, over all whole rows.
    """

    received: Received
    rows_file: Path
    row_count: int
    rejected: list[tuple[int, str]] = field(default_factory=list)
    oversized: frozenset[int] = frozenset()
    totals: dict[str, Decimal] = field(default_factory=dict)

    @property
    def rows(self) -> pa.Table:
        """All rows at once, for small deliveries."""
        return pq.read_table(self.rows_file)


def open_file(profile: Profile, spec: Extract, root: Path, business_date: date, folder: Path) -> Received:
    """Copy one file into `folder`, hashing it on the way, and check that it and its control file belong together."""
    path = spec.path(root, business_date)
    if not path.is_file():
        raise ExtractError(
            f"{spec.table} for {business_date}: {path} is missing; ask the {spec.source} system to send it, then run again"
        )
    original = folder / path.name
    with path.open("rb") as source, original.open("wb") as target:
        copy = HashingFile(target)
        shutil.copyfileobj(source, copy, CHUNK)
    if not copy.size and (spec.header or not spec.may_be_empty):
        raise ExtractError(f"{path} is empty (zero bytes); ask the {spec.source} system to send it again")
    control = _read_control(path, spec) if spec.control else {}
    if control:
        for name, found in (("file", path.name), ("business_date", business_date.isoformat()), ("sha256", copy.sha256)):
            if control[name] != found:
                said = control[name] if re.fullmatch(FACTS[name], control[name]) else "something else"
                raise ExtractError(
                    f"{path}: its control file says {name} {said}, but it is {found};"
                    f" the file was damaged or mixed up on the way, ask for it again"
                )
    return Received(
        place=str(path),
        file=path.name,
        original=original,
        size=copy.size,
        sha256=copy.sha256,
        business_date=business_date,
        sequence=int(control["sequence"]) if control else None,
        received_at=sent_at(profile, control["sent_at"]) if control else cut_off_of(profile, business_date),
        control=control,
        beside=_beside(profile, spec, root, business_date),
    )


def _beside(profile: Profile, spec: Extract, root: Path, business_date: date) -> tuple[str, ...]:
    """Files of a delivery's day and form, beside it, that no extract asks for, and that are named most like this one."""
    path, day = spec.path(root, business_date), business_date.isoformat()
    asked = {other.path(root, business_date): other for other in profile.extracts if other.file} | {path: spec}
    alike = [other for place, other in asked.items() if (place.parent, place.suffix) == (path.parent, path.suffix)]
    is_of_day = "{business_date}" in str(Path(spec.file).parent)
    strangers = [
        file.name
        for file in sorted(path.parent.glob(f"[!.]*{path.suffix}"))
        if file not in asked and (is_of_day or day in file.name)
    ]
    return tuple(
        name for name in strangers if max(alike, key=lambda other: len(other.name) * (other.name in name)) == spec
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
    received, whole = delivery.received, delivery.row_count + len(delivery.oversized)
    # Events and changes may be none on a quiet day, but only when their sender says so.
    if whole == 0 and not (spec.may_be_empty and received.control.get("rows") == "0"):
        empty = "has a header but no rows" if spec.file and spec.header else "has no rows"
        raise ExtractError(f"{received.place} {empty}; ask the {spec.source} system to send it again")
    _prove_rows_whole(spec, delivery)
    if not received.control:
        return
    if int(received.control["rows"]) != whole:
        raise ExtractError(
            f"{received.place} has {whole} rows but {received.witness} says {received.control['rows']};"
            " ask for the delivery again"
        )
    for column, total in delivery.totals.items():
        expected = Decimal(received.control[f"total_{column}"])
        if total != expected:
            raise ExtractError(
                f"{received.place}: {column} adds up to {total.normalize():f} but {received.witness} says {expected};"
                " ask for the delivery again"
            )


def _prove_rows_whole(spec: Extract, delivery: Delivery) -> None:
    """A row of other than the right number of fields is a damaged file; a value too long only loses its own row."""
    carries_money = any(column.control_total for column in spec.columns)
    bad = [(row, reason) for row, reason in delivery.rejected if carries_money or row not in delivery.oversized]
    last_row = delivery.row_count + len(delivery.rejected) + spec.header
    if not bad or (spec.last_row_may_be_cut and [row for row, _ in bad] == [last_row]):
        return
    row, reason = bad[0]
    more = f" (and {len(bad) - 1} more rows)" if len(bad) > 1 else ""
    raise ExtractError(
        f"{delivery.received.place}, row {row}: {reason}{more}; ask the {spec.source} system to send it again"
    )
