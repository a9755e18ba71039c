"""Delimited text files: decoded strictly, header matched exactly, every value kept as text, chunk by chunk.

Without a header the profile's columns are those of the file by position, and every row must have as many.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

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
PIECE = 1 << 23  # bytes that are parsed at once
LONGEST_ROW = 1 << 24  # bytes
HEADER_CHARACTERS = 1 << 17


def read(spec: Extract, received: Received) -> Delivery:
    """Rows of a delimited file. Raises ExtractError for a wrong encoding, a NUL, broken quotes, a header not exact."""
    delimiter = spec.delimiter if len(spec.delimiter) == 1 else UNIT_SEPARATOR
    text = received.original.with_name(".text")
    try:
        _write_utf8(spec, received, text)
        _match_header(spec, received, text, delimiter)
        return parse(spec, received, text, delimiter)
    finally:
        text.unlink(missing_ok=True)


def _write_utf8(spec: Extract, received: Received, target: Path) -> None:
    """The file's text as UTF-8 with a delimiter of one character."""
    with target.open("wb") as written:
        for text in _with_short_delimiter(received, _decoded(spec, received), spec.delimiter):
            written.write(text.encode("utf-8"))


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
        if not spec.header:
            return  # a row, whose quotes are looked at with all others
        raise ExtractError(
            f"{received.place}: its first line is no header; it must match the profile exactly"
        ) from None
    expected = [column.name for column in spec.columns]
    if not spec.header:
        if header == expected:
            raise ExtractError(
                f"{received.place} has a header, but the profile says it has none; remove `header: false` from the profile"
            )
        return
    forbidden.refuse_names(spec, received.place, received.identity, [name for name in header if name not in expected])
    problem = names.difference(header, expected)
    if problem:
        raise ExtractError(f"{received.place}: the header {problem}; it must match the profile exactly")


def parse(spec: Extract, received: Received, text: Path, delimiter: str) -> Delivery:
    """Rows of UTF-8, below a header line that is right if there is one; a row of another number of fields is rejected."""
    columns, rejected = [column.name for column in spec.columns], []
    with RowsWriter(spec, received.place, received.original.parent) as writer:
        row = 1
        cut: list[int] = []  # the last row, where the profile allows it to be cut and it ends within quotes
        for piece in _pieces(received, text, delimiter, cut if spec.last_row_may_be_cut else None):
            has_header = spec.header and row == 1
            rows, invalid = _parse_piece(piece, delimiter, columns, has_header)
            rejected += [(row + number, reason) for number, reason in invalid]
            row += has_header
            numbers, row = _row_numbers(row, len(rows), [number for number, _ in rejected if number >= row])
            rows, blank = _without_blank(rows.append_column(SOURCE_ROW, pa.array(numbers)), columns)
            rejected += [(number, "an empty row") for number in blank]
            writer.add(_restored(rows, spec.delimiter) if len(spec.delimiter) > 1 else rows)
        rejected += [(number, "cut within a quoted value") for number in cut]
        return writer.finish(received, rejected)


def _pieces(received: Received, text: Path, delimiter: str, cut: list[int] | None) -> Iterator[bytes]:
    """The text in pieces of whole rows. Arrow's own reader of pieces reads half a gigabyte ahead."""
    with text.open("rb") as file:
        if any(b'"' in content for content in iter(lambda: file.read(CHUNK), b"")):
            file.seek(0)
            for size in _sizes_of_quoted(received, text, delimiter, cut):
                yield file.read(size)
            return
        file.seek(0)
        begun = b""
        while content := file.read(PIECE):
            content = begun + content
            # Every line break ends a row. The last byte may be half of one.
            end = max(content.rfind(b"\n"), -1 if b"\n" in content else content.rfind(b"\r", 0, -1)) + 1
            begun = content[end:]
            if len(begun) > LONGEST_ROW:
                raise _too_long(received)
            if end:
                yield content[:end]
        if begun:
            yield begun


def _sizes_of_quoted(received: Received, text: Path, delimiter: str, cut: list[int] | None) -> Iterator[int]:
    """Sizes of pieces of whole rows where a quoted value may hold line breaks, and proof that every quote is right.

    Arrow reads `"a"b` as `ab` and drops all that follows a quote never closed, without a word; this does not.
    """
    size, whole, lines_since, row = 0, 0, 0, 1

    def lines(file: TextIO) -> Iterator[str]:
        nonlocal size, lines_since
        for line in file:
            lines_since += 1
            size += len(line) if line.isascii() else len(line.encode("utf-8"))
            if size > PIECE + LONGEST_ROW:
                raise _too_long(received)
            yield line

    limit = csv.field_size_limit(LONGEST_ROW)
    try:
        with text.open(encoding="utf-8", newline="") as file:
            for _ in csv.reader(lines(file), delimiter=delimiter, strict=True):
                row, lines_since, whole = row + 1, 0, size
                if size >= PIECE:
                    yield size
                    size, whole = 0, 0
        yield size
    except csv.Error as problem:
        if cut is not None and lines_since == 1 and "unexpected end of data" in str(problem):
            cut.append(row)
            yield whole
            return
        raise ExtractError(
            f"{received.place}, row {row}: a quote is not closed, or is closed before the value's end;"
            " ask for the delivery again"
        ) from None
    finally:
        csv.field_size_limit(limit)


def _too_long(received: Received) -> ExtractError:
    return ExtractError(
        f"{received.place} has a row of more than {LONGEST_ROW >> 20} MiB, or a quote in it is not closed;"
        " ask for the delivery again"
    )


def _parse_piece(
    piece: bytes, delimiter: str, columns: list[str], has_header: bool
) -> tuple[pa.Table, list[tuple[int, str]]]:
    """The rows of a piece as text, and those of another number of fields, counted from 0."""
    invalid = []

    def keep_reason(row: pa.csv.InvalidRow) -> str:
        invalid.append((row.number - 1, f"{row.actual_columns} fields instead of {row.expected_columns}"))
        return "skip"

    try:
        rows = pa.csv.read_csv(
            pa.BufferReader(piece),
            # One thread and one block, else the numbers of invalid rows are not known.
            read_options=pa.csv.ReadOptions(
                column_names=columns, skip_rows=int(has_header), use_threads=False, block_size=len(piece) + 1
            ),
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
    except pa.ArrowInvalid as problem:  # never passed on: its text may repeat a row
        if not any(empty in str(problem) for empty in ("Empty CSV", "Could not skip initial 1 rows")):
            raise
        rows = pa.table({name: pa.array([], pa.string()) for name in columns})
    return rows, invalid


def _row_numbers(first: int, count: int, rejected: list[int]) -> tuple[np.ndarray, int]:
    """The numbers of `count` rows from `first` among which those of `rejected` rows lie, and the one after all."""
    numbers = np.arange(first, first + count + len(rejected), dtype=np.int64)
    return np.setdiff1d(numbers, np.array(rejected, dtype=np.int64), assume_unique=True), first + len(numbers)


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
