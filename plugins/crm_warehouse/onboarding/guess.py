"""Guessing extracts from files: how they are written, their columns' types and formats. A guess is marked as one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

SAMPLE_BYTES, SAMPLE_ROWS = 1 << 20, 200
DELIMITERS = ("|+|", "|", ";", "\t", "\x1b", ",")
ENCODINGS = ("utf-8", "gb18030")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
FORMATS = {
    "date": ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y", "%Y/%m/%d"),
    "timestamp": ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S"),
}
DEFAULTS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ")
PARQUET_TYPES = (
    ("date", "date"), ("timestamp", "timestamp"), ("decimal", "decimal"), ("int", "integer"), ("uint", "integer"),
    ("bool", "boolean"),
)  # fmt: skip


@dataclass(frozen=True)
class Guess:
    """One extract, as it seems to be. `columns`: name to type and format."""

    source: str
    name: str
    kind: str
    file: str
    columns: dict[str, tuple[str, str | None]]
    key: str
    business_date: str | None = None
    encoding: str = ""
    delimiter: str = ""
    control: bool = False

    def as_yaml(self) -> list[str]:
        """Its lines in extracts.yml."""
        lines = [
            f"      {self.name}:  # GUESS: types, key and delivery are guessed from the first rows",
            f"        file: {_quoted(self.file)}",
        ]
        if self.kind == "delimited":
            lines += [f"        encoding: {self.encoding}", f"        delimiter: {_quoted(self.delimiter)}"]
        lines += ["        control: true"] if self.control else []
        lines += ["        delivery: full", "        columns:"]
        for column, (kind, pattern) in self.columns.items():
            said = f"type: {kind}" + (", key: true" if column == self.key else "")
            said += f", format: {_quoted(pattern)}" if pattern else ""
            lines.append(f"          {_quoted(column) if not column.isidentifier() else column}: {{{said}}}")
        return lines


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("\x1b", "\\e")
    return f'"{escaped}"'


def guess_extracts(folder: Path) -> list[Guess]:
    """One guess for each kind of file below a folder: of files that differ by date alone, the earliest."""
    guesses: dict[str, Guess] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        relative = path.relative_to(folder).as_posix()
        file = DAY.sub("{business_date}", relative)
        if file not in guesses and (guess := _guess(path, relative, file)):
            taken = {(g.source, g.name) for g in guesses.values()}
            if (guess.source, guess.name) not in taken:
                guesses[file] = guess
    return list(guesses.values())


def _guess(path: Path, relative: str, file: str) -> Guess | None:
    parts = relative.split("/")
    kind = "parquet" if path.suffix == ".parquet" else "delimited"
    source = _name(parts[0] if len(parts) > 1 and not DAY.search(parts[0]) else "files")
    name = _name(DAY.sub("", path.stem))
    days = DAY.findall(relative)
    if path.suffix == ".ctl":
        return None
    read = _parquet(path) if kind == "parquet" else _delimited(path)
    if read is None:
        return None
    columns, key, encoding, delimiter = read
    # A source has one kind: Parquet beside delimited files is a source of its own.
    source = (
        f"{source}_parquet"
        if kind == "parquet" and any(p.suffix in (".csv", ".txt") for p in path.parent.iterdir())
        else source
    )
    return Guess(
        source, name, kind, file, columns, key, days[0] if days else None, encoding, delimiter,
        control=path.with_suffix(".ctl").is_file(),
    )  # fmt: skip


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if name[:1].isalpha() else f"x_{name}".rstrip("_")


def _parquet(path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
        first = next(pq.ParquetFile(path).iter_batches(SAMPLE_ROWS), None)
    except (pa.ArrowInvalid, OSError):
        return None
    columns = {
        field.name: (next((t for start, t in PARQUET_TYPES if str(field.type).startswith(start)), "text"), None)
        for field in schema
    }
    columns |= {f.name: ("fraction", None) for f in schema if pa.types.is_decimal(f.type) and f.type.scale > 6}
    columns |= {f.name: ("quantity", None) for f in schema if pa.types.is_decimal(f.type) and 2 < f.type.scale <= 6}
    rows = first.to_pylist() if first is not None else []
    return columns, _key({name: [str(row[name]) for row in rows] for name in columns}), "", ""


def _delimited(path: Path):
    with path.open("rb") as file:
        content = file.read(SAMPLE_BYTES)
    if not content or b"\0" in content:
        return None
    is_whole = len(content) < SAMPLE_BYTES
    text, encoding = _decoded(content if is_whole else content[: content.rindex(b"\n") + 1])
    header = text.splitlines()[0] if text else ""
    delimiter = next((d for d in DELIMITERS if d in header), None)
    if text is None or delimiter is None:
        return None
    reader = csv.reader(io.StringIO(text.replace(delimiter, "\x1f")), delimiter="\x1f")
    names, *rows = list(islice(reader, SAMPLE_ROWS + 1))
    values = {name: [row[n].strip() for row in rows if len(row) == len(names)] for n, name in enumerate(names)}
    return {name: _type(found) for name, found in values.items()}, _key(values), encoding, delimiter


def _decoded(content: bytes) -> tuple[str | None, str]:
    if content.startswith(b"\xef\xbb\xbf"):
        return content.decode("utf-8-sig", errors="replace"), "utf-8-sig"
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return None, ""


def _type(values: Iterable[str]) -> tuple[str, str | None]:
    """The narrowest type that every value of the sample fits. Leading zeros and long digits are text: they are codes."""
    given = [value for value in values if value]
    if not given:
        return "text", None
    if all(value in ("true", "false") for value in given):
        return "boolean", None
    for kind, patterns in FORMATS.items():
        for pattern in patterns:
            if all(_written_as(value, pattern) for value in given):
                return kind, None if pattern in DEFAULTS else pattern
    if all(re.fullmatch(r"-?(0|[1-9]\d{0,9})", value) for value in given):
        return "integer", None
    if all(re.fullmatch(r"-?\d{1,16}(\.\d{1,2})?", value) for value in given) and any("." in value for value in given):
        return "decimal", None
    if all(re.fullmatch(r"-?\d{1,9}\.\d{1,9}", value) for value in given):
        return "fraction", None
    return "text", None


def _written_as(value: str, pattern: str) -> bool:
    try:
        return datetime.strptime(value, pattern).strftime(pattern) == value
    except ValueError:
        return False


def _key(values: dict[str, list[str]]) -> str:
    """The first column whose values are all there and all different."""
    for name, found in values.items():
        if found and "" not in found and len(set(found)) == len(found):
            return name
    return next(iter(values))
