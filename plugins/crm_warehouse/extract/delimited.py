"""Delimited text files: decoded strictly, header matched exactly, every value kept as text."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract.delivery import SOURCE_ROW, Delivery, Received
from crm_warehouse.profile import Extract

UNIT_SEPARATOR = "\x1f"  # stands in for a delimiter of several characters: the reader takes one only


def read(spec: Extract, received: Received) -> Delivery:
    """Rows of a delimited file. Raises ExtractError for a wrong encoding, a NUL, or a header that is not exact."""
    text, delimiter = _decode(spec, received), spec.delimiter
    if len(delimiter) > 1:
        if UNIT_SEPARATOR in text:
            raise ExtractError(f"{received.place} holds the control character 0x1f; ask for the delivery again")
        text, delimiter = text.replace(delimiter, UNIT_SEPARATOR), UNIT_SEPARATOR
    names = [column.name for column in spec.columns]
    _match_header(received, text, delimiter, names)
    delivery = parse(received, text.encode("utf-8"), delimiter, names)
    return _restore(delivery, spec.delimiter) if delimiter == UNIT_SEPARATOR else delivery


def _restore(delivery: Delivery, delimiter: str) -> Delivery:
    """Give quoted values that held the delimiter their own characters back."""
    rows = delivery.rows
    restored = {
        name: pc.replace_substring(rows[name], UNIT_SEPARATOR, delimiter) if name != SOURCE_ROW else rows[name]
        for name in rows.column_names
    }
    return Delivery(delivery.received, pa.table(restored), delivery.rejected)


def _decode(spec: Extract, received: Received) -> str:
    try:
        text = received.content.decode(spec.encoding, errors="strict")
    except UnicodeDecodeError as problem:
        raise ExtractError(
            f"{received.place} is not {spec.encoding}: byte {problem.start} cannot be decoded;"
            " correct the profile's encoding or ask for the delivery again"
        ) from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise ExtractError(
            f"{received.place} holds a NUL at character {text.index(chr(0))}; ask for the delivery again"
        )
    return text


def _match_header(received: Received, text: str, delimiter: str, names: list[str]) -> None:
    header = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    if header == names:
        return
    missing, extra = [n for n in names if n not in header], [n for n in header if n not in names]
    if missing or extra:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has unknown {', '.join(extra)}"] if extra else []
        difference = " and ".join(parts)
    else:
        difference = "has its columns in another order"
    raise ExtractError(f"{received.place}: the header {difference}; it must match the profile exactly")


def parse(received: Received, content: bytes, delimiter: str, names: list[str]) -> Delivery:
    """Rows of UTF-8 below a header line that is right; a row of other than `names` fields is rejected."""
    rejected: list[tuple[int, str]] = []

    def keep_reason(row: pa.csv.InvalidRow) -> str:
        rejected.append((row.number, f"{row.actual_columns} fields instead of {row.expected_columns}"))
        return "skip"

    try:
        rows = pa.csv.read_csv(
            pa.BufferReader(content),
            # One thread, else the numbers of invalid rows are not known.
            read_options=pa.csv.ReadOptions(column_names=names, skip_rows=1, use_threads=False, block_size=1 << 26),
            parse_options=pa.csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,  # a blank line is a row that lacks its fields
                invalid_row_handler=keep_reason,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as problem:
        if not any(empty in str(problem) for empty in ("Empty CSV", "Could not skip initial 1 rows")):
            raise ExtractError(f"{received.place} cannot be read: {problem}") from None
        rows = pa.table({name: pa.array([], pa.string()) for name in names})
    numbers = np.arange(2, rows.num_rows + len(rejected) + 2, dtype=np.int64)
    numbers = np.setdiff1d(numbers, [row for row, _ in rejected], assume_unique=True)
    is_blank = np.logical_and.reduce([pc.equal(rows[name], "").to_numpy() for name in names])
    rejected += [(int(row), "an empty row") for row in numbers[is_blank]]
    rows = rows.append_column(SOURCE_ROW, pa.array(numbers)).filter(pa.array(~is_blank))
    return Delivery(received, rows, sorted(rejected))
