"""Writing the rows of a delivery as Parquet, batch by batch, whatever kind of source they come from.

On the way, set by set: rows with a value that is too long are rejected, columns with a control total are added up, and
data that may not be kept (class C3) is found. Memory is that of a batch, not of a delivery.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import forbidden
from crm_warehouse.extract.delivery import ROWS, SOURCE_ROW, Delivery, Received
from crm_warehouse.profile import Extract

NUMBER = r"^[+-]?[0-9]{1,32}(\.[0-9]{0,6})?$"  # what a decimal(38, 6) holds without rounding


class RowsWriter:
    """A Parquet file of text rows in the making; `finish` gives the delivery."""

    def __init__(self, spec: Extract, place: str, folder: Path):
        self._spec, self._place, self._path = spec, place, folder / ROWS
        self._names = [column.name for column in spec.columns]
        fields = [(name, pa.string()) for name in self._names]
        self._writer = pq.ParquetWriter(self._path, pa.schema([*fields, (SOURCE_ROW, pa.int64())]), compression="zstd")
        self._totals = {column.name: Decimal(0) for column in spec.columns if column.control_total}
        self._oversized: dict[int, str] = {}
        self._findings: list[forbidden.Finding] = []
        self._rows = 0

    def __enter__(self) -> RowsWriter:
        return self

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()

    def add(self, rows: pa.Table) -> None:
        """Write rows: the profile's columns as text, in its order, and `_source_row`."""
        if not len(rows):
            return
        for column in self._totals:
            self._totals[column] += self._sum(rows, column)
        self._findings += forbidden.find_forbidden(self._spec, rows)
        rows = self._without_oversized(rows)
        self._writer.write_table(rows)
        self._rows += len(rows)

    def finish(self, received: Received, rejected: list[tuple[int, str]]) -> Delivery:
        """Close the file. Raises ForbiddenData when the rows hold what may not be kept."""
        self._writer.close()
        forbidden.refuse(self._spec, received.place, received.identity, self._merged_findings())
        return Delivery(
            received,
            self._path,
            self._rows,
            sorted([*rejected, *self._oversized.items()]),
            frozenset(self._oversized),
            dict(self._totals),
        )

    def _merged_findings(self) -> list[forbidden.Finding]:
        by_column: dict[tuple[str, str], list[forbidden.Finding]] = {}
        for finding in self._findings:
            by_column.setdefault((finding.what, finding.column), []).append(finding)
        return [
            forbidden.Finding(what, column, min(f.row for f in found), sum(f.rows for f in found))
            for (what, column), found in by_column.items()
        ]

    def _sum(self, rows: pa.Table, column: str) -> Decimal:
        values = rows.column(column)
        try:
            numbers = pc.cast(pc.if_else(pc.equal(values, ""), None, values), pa.decimal128(38, 6))
        except pa.ArrowInvalid:  # its text repeats the value
            is_bad = pc.and_(pc.not_equal(values, ""), pc.invert(pc.match_substring_regex(values, NUMBER)))
            bad = rows.column(SOURCE_ROW).filter(is_bad)
            row = f", row {bad[0].as_py()}" if len(bad) else ""
            raise ExtractError(
                f"{self._place}, column {column}{row}: not a number of at most 6 decimal places, so its total cannot be"
                f" proven; ask the {self._spec.source} system to send it again"
            ) from None
        return pc.sum(numbers).as_py() or Decimal(0)

    def _without_oversized(self, rows: pa.Table) -> pa.Table:
        longest = self._spec.longest_value_bytes
        is_too_long = None
        for name in self._names:
            lengths = pc.binary_length(rows.column(name))
            if pc.max(lengths).as_py() <= longest:
                continue
            too_long = np.asarray(pc.greater(lengths, longest))
            for index in np.flatnonzero(too_long):
                row, size = rows.column(SOURCE_ROW)[index].as_py(), lengths[index].as_py()
                self._oversized.setdefault(row, f"{name} is {size:,} bytes long, more than {longest:,}")
            is_too_long = too_long if is_too_long is None else is_too_long | too_long
        return rows if is_too_long is None else rows.filter(pa.array(~is_too_long))
