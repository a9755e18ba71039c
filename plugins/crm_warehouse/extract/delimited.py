"""Delimited text files: decoded strictly, header matched exactly, every value kept as text, chunk by chunk."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import forbidden, names
from crm_warehouse.extract.delivery import CHUNK, SOURCE_ROW, Delivery, Received
from crm_warehouse.extract.rows import RowsWriter
from crm_warehouse.profile import Extract

UNIT_SEPARATOR = "\x1f"  # stands in for a delimiter of several characters: the reader takes one only
BLOCK = 1 << 24  # a row, its line breaks and all, must fit in one
HEADER_CHARACTERS = 1 << 17


def read(spec: Extract, received: Received) -> Delivery:
    """Rows of a delimited file. Raises ExtractError for a wrong encoding, a NUL, broken quotes, a header not exact."""
    delimiter = spec.delimiter if len(spec.delimiter) == 1 else UNIT_SEPARATOR
    text = received.original.with_name(".text")
    try:
        has_quotes = _write_utf8(spec, received, text)
        _match_header(spec, received, text, delimiter)
        if has_quotes:
            _prove_quotes(received, text, delimiter)
        return parse(spec, received, text, delimiter)
    finally:
        text.unlink(missing_ok=True)


def _write_utf8(spec: Extract, received: Received, target: Path) -> bool:
    """The file's text as UTF-8 with a delimiter of one character. Returns whether there is any quote in it."""
    has_quotes = False
    with target.open("wb") as written:
        for text in _with_short_delimiter(received, _decoded(spec, received), spec.delimiter):
            has_quotes = has_quotes or '"' in text
            written.write(text.encode("utf-8"))
    return has_quotes


def _decoded(spec: Extract, received: Received) -> Iterator[str]:
    """Chunks of text, decoded strictly, without a byte-order mark. A NUL or a wrong byte is refused with its place."""
    decoder = codecs.getincrementaldecoder(spec.encoding)("strict")
    bytes_before, characters_before = 0, 0
    with received.original.open("rb") as file:
        while True:
            content = file.read(CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(content, final=not content)
            except UnicodeDecodeError as problem:
                raise ExtractError(
                    f"{received.place} is not {spec.encoding}: byte {bytes_before - pending + problem.start} cannot be"
                    " decoded; correct the profile's encoding or ask for the delivery again"
                ) from None
            bytes_before += len(content)
            if not characters_before:
                text = text.removeprefix("\ufeff")
            if "\0" in text:
                raise ExtractError(
                    f"{received.place} holds a NUL at character {characters_before + text.index(chr(0))};"
                    " ask for the delivery again"
                )
            characters_before += len(text)
            yield text
            if not content:
                return


def _with_short_delimiter(received: Received, texts: Iterator[str], delimiter: str) -> Iterator[str]:
    """The same text with the unit separator for a long delimiter, also where a chunk ends in the middle of one."""
    if len(delimiter) == 1:
        yield from texts
        return
    begun = ""
    for text in texts:
        if UNIT_SEPARATOR in text:
            raise ExtractError(f"{received.place} holds the control character 0x1f; ask for the delivery again")
        text = (begun + text).replace(delimiter, UNIT_SEPARATOR)
        lengths = (n for n in range(len(delimiter) - 1, 0, -1) if text.endswith(delimiter[:n]))
        length = next(lengths, 0)
        begun = text[len(text) - length :]
        yield text[: len(text) - length]
    yield begun


def _match_header(spec: Extract, received: Received, text: Path, delimiter: str) -> None:
    with text.open(encoding="utf-8", newline="") as file:
        head = file.read(HEADER_CHARACTERS)
    try:
        header = next(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        raise ExtractError(
            f"{received.place}: its first line is no header; it must match the profile exactly"
        ) from None
    expected = [column.name for column in spec.columns]
    forbidden.refuse_names(spec, received.place, received.identity, [name for name in header if name not in expected])
    problem = names.difference(header, expected)
    if problem:
        raise ExtractError(f"{received.place}: the header {problem}; it must match the profile exactly")


def _prove_quotes(received: Received, text: Path, delimiter: str) -> None:
    """Arrow reads `"a"b` as `ab` and drops all that follows a quote never closed, without a word; this does not."""
    numbers, limit = itertools.count(1), csv.field_size_limit(BLOCK)
    try:
        with text.open(encoding="utf-8", newline="") as file:
            deque(zip(numbers, csv.reader(file, delimiter=delimiter, strict=True), strict=False), maxlen=0)
    except csv.Error:
        raise ExtractError(
            f"{received.place}, row {next(numbers) - 1}: a quote is not closed, or is closed before the value's end;"
            " ask for the delivery again"
        ) from None
    finally:
        csv.field_size_limit(limit)


def parse(spec: Extract, received: Received, text: Path, delimiter: str) -> Delivery:
    """Rows of UTF-8 below a header line that is right; a row of other than the right number of fields is rejected."""
    columns, rejected = [column.name for column in spec.columns], []

    def keep_reason(row: pa.csv.InvalidRow) -> str:
        rejected.append((row.number, f"{row.actual_columns} fields instead of {row.expected_columns}"))
        return "skip"

    with RowsWriter(spec, received.place, received.original.parent) as writer:
        row = 2
        try:
            for batch in _batches(text, delimiter, columns, keep_reason):
                numbers, row = _row_numbers(row, batch.num_rows, {number for number, _ in rejected})
                rows = pa.Table.from_batches([batch]).append_column(SOURCE_ROW, pa.array(numbers))
                rows, blank = _without_blank(rows, columns)
                rejected += [(number, "an empty row") for number in blank]
                writer.add(_restored(rows, spec.delimiter) if len(spec.delimiter) > 1 else rows)
        except pa.ArrowInvalid as problem:  # its text repeats the row
            if not any(empty in str(problem) for empty in ("Empty CSV", "Could not skip initial 1 rows")):
                raise ExtractError(
                    f"{received.place}: a row from {row} on is longer than {BLOCK >> 20} MiB; ask for the delivery again"
                ) from None
        return writer.finish(received, rejected)


def _batches(text: Path, delimiter: str, columns: list[str], keep_reason) -> Iterator[pa.RecordBatch]:
    block = min(BLOCK, max(text.stat().st_size, 1 << 10))  # of a small file no more than it takes
    return pa.csv.open_csv(
        text,
        # One thread, else the numbers of invalid rows are not known.
        read_options=pa.csv.ReadOptions(column_names=columns, skip_rows=1, use_threads=False, block_size=block),
        parse_options=pa.csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,  # a blank line is a row that lacks its fields
            invalid_row_handler=keep_reason,
        ),
        convert_options=pa.csv.ConvertOptions(
            column_types={name: pa.string() for name in columns},
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )


def _row_numbers(first: int, count: int, rejected: set[int]) -> tuple[np.ndarray, int]:
    """The next `count` numbers from `first` that no rejected row has, and the one after the last of them."""
    skipped = np.array(sorted(number for number in rejected if number >= first), dtype=np.int64)
    numbers = np.arange(first, first + count + len(skipped), dtype=np.int64)
    numbers = np.setdiff1d(numbers, skipped, assume_unique=True)[:count]
    return numbers, (int(numbers[-1]) + 1 if count else first)


def _without_blank(rows: pa.Table, columns: list[str]) -> tuple[pa.Table, list[int]]:
    is_blank = pc.equal(rows[columns[0]], "")
    for name in columns[1:]:
        if not pc.any(is_blank).as_py():
            return rows, []
        is_blank = pc.and_(is_blank, pc.equal(rows[name], ""))
    return rows.filter(pc.invert(is_blank)), rows[SOURCE_ROW].filter(is_blank).to_pylist()


def _restored(rows: pa.Table, delimiter: str) -> pa.Table:
    """Give quoted values that held the delimiter their own characters back."""
    restored = {
        name: pc.replace_substring(rows[name], UNIT_SEPARATOR, delimiter) if name != SOURCE_ROW else rows[name]
        for name in rows.column_names
    }
    return pa.table(restored)
