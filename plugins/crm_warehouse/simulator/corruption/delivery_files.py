"""A delivery as it lies in its source's folder: one table of text, in the form its source writes, and a control file.

Every value is text and a missing one is the empty text, so that a kind can write what no type would allow. The form
follows from the file's ending: `.parquet`, `.jsonl` (an object a line), anything else is delimited text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crm_warehouse.profile import Extract

UNIT_SEPARATOR = "\x1f"  # stands in for a delimiter of several characters
PLAIN_NUMBER = r"^-?[0-9]{1,24}([.][0-9]{1,12})?$"
UNREADABLE = (ValueError, pa.ArrowException, OSError)  # what a damaged file raises when it is read

Control = dict[str, str]


@dataclass(frozen=True)
class Sent:
    """The files of one extract and date. `data` or `control` is None where it is not there; `beside`: other files."""

    data: bytes | None
    control: Control | None
    beside: dict[str, bytes] = field(default_factory=dict)


def read_sent(path: Path) -> Sent:
    """The data file and its control file as they are."""
    control = path.with_suffix(".ctl")
    return Sent(
        path.read_bytes() if path.is_file() else None,
        read_control(control.read_bytes()) if control.is_file() else None,
    )


def read_control(content: bytes) -> Control:
    lines = content.decode("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def write_control(control: Control) -> bytes:
    return "".join(f"{name}={value}\n" for name, value in control.items()).encode("utf-8")


def remake_control(control: Control, data: bytes, rows: pd.DataFrame | None, totals: pd.DataFrame | None) -> Control:
    """The control file of a source that believes what it sends.

    `rows` are counted and `totals` added up; None: count or totals stay what they were. A value that is no plain number
    does not count in a total.
    """
    remade = control | {"sha256": hashlib.sha256(data).hexdigest()}
    if rows is not None:
        remade["rows"] = str(len(rows))
    for name in control:
        column = name.removeprefix("total_")
        if column != name and totals is not None and column in totals.columns:
            remade[name] = _total(totals[column])
    return remade


def _total(values: pd.Series) -> str:
    numbers = values[values.str.match(PLAIN_NUMBER)].to_numpy(dtype=object)
    total = pc.sum(pc.cast(pa.array(numbers, pa.string()), pa.decimal128(38, 12))).as_py() or 0
    text = f"{total:.12f}"
    return text[:-10] + text[-10:].rstrip("0")  # two decimals, more only where there are more


def read_rows(spec: Extract, path: Path, data: bytes) -> pd.DataFrame:
    """The rows of a data file, all text. Raises one of UNREADABLE when it is not what its ending says."""
    if path.suffix == ".parquet":
        rows = _text_of(pq.read_table(pa.BufferReader(data)))
    elif path.suffix == ".jsonl":
        rows = _read_json_lines(data)
    else:
        text, delimiter = data.decode(spec.encoding), spec.delimiter
        if len(delimiter) > 1:
            text, delimiter = text.replace(delimiter, UNIT_SEPARATOR), UNIT_SEPARATOR
        rows = pd.read_csv(
            io.StringIO(text), sep=delimiter, dtype=str, keep_default_na=False, na_filter=False, skip_blank_lines=False
        )
        if isinstance(rows.index, pd.MultiIndex) or not isinstance(rows.index, pd.RangeIndex):
            raise ValueError("rows with more fields than the header")
    return rows.astype(str).reset_index(drop=True)


def write_rows(spec: Extract, path: Path, rows: pd.DataFrame, original: bytes, delimiter: str | None = None) -> bytes:
    """`rows` in the form of `original`, the bytes they came from; `delimiter`: another than the profile's."""
    if path.suffix == ".parquet":
        return _write_parquet(rows, pq.read_schema(pa.BufferReader(original)))
    if path.suffix == ".jsonl":
        return _write_json_lines(rows, original)
    delimiter = delimiter or spec.delimiter
    single = delimiter if len(delimiter) == 1 else UNIT_SEPARATOR
    text = rows.to_csv(sep=single, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    return text.replace(single, delimiter).encode(spec.encoding)


def _text_of(table: pa.Table) -> pd.DataFrame:
    """Values as DuckDB writes them: decimals plainly, where Arrow writes 0E-9."""
    with duckdb.connect() as connection:
        connection.register("sent", table)
        columns = ", ".join(f'coalesce(cast("{name}" as varchar), \'\') as "{name}"' for name in table.column_names)
        return connection.execute(f"select {columns} from sent").to_arrow_table().to_pandas()


def _write_parquet(rows: pd.DataFrame, schema: pa.Schema) -> bytes:
    """Columns in their own types; one that holds a text its type would not write becomes a column of text."""
    with duckdb.connect() as connection:
        connection.register("before", schema.empty_table())
        types = {name: kind for name, kind, *_ in connection.execute("describe before").fetchall()}
        connection.register("sent", pa.table({name: pa.array(rows[name], pa.string()) for name in rows.columns}))
        columns = []
        for name in rows.columns:
            text = f"nullif(\"{name}\", '')"
            typed = f"try_cast({text} as {types.get(name, 'varchar')})"
            lost = connection.execute(
                f"select count(*) from sent where {text} is distinct from cast({typed} as varchar)"
            ).fetchone()[0]
            columns.append(f'{text if lost else typed} as "{name}"')
        table = connection.execute(f"select {', '.join(columns)} from sent").to_arrow_table()
    target = pa.BufferOutputStream()
    pq.write_table(table, target, compression="zstd")
    return target.getvalue().to_pybytes()


def _read_json_lines(data: bytes) -> pd.DataFrame:
    objects = [json.loads(line, parse_float=str, parse_int=str) for line in data.decode("utf-8-sig").splitlines()]
    if not all(isinstance(each, dict) for each in objects):
        raise ValueError("a line that is not an object")
    rows = pd.DataFrame.from_records(objects).astype(object)
    return rows.map(lambda value: _text_of_json(value))


def _text_of_json(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else ""


def _write_json_lines(rows: pd.DataFrame, original: bytes) -> bytes:
    """Each column as `original` has it: what was a number or true/false there stays bare while it can."""
    first = original.split(b"\n", 1)[0].decode("utf-8-sig")
    separators = (", ", ": ") if '": ' in first else (",", ":")
    bare: set[str] = set()
    for line in original.decode("utf-8-sig").splitlines():
        bare |= {name for name, value in json.loads(line).items() if not isinstance(value, str | None)}
    is_ascii = original.isascii() and b"\\u" in original
    columns = [[_json_of(value, name in bare, is_ascii) for value in rows[name]] for name in rows.columns]
    names = [json.dumps(name, ensure_ascii=is_ascii) for name in rows.columns]
    comma, colon = separators
    lines = [
        "{" + comma.join(f"{name}{colon}{value}" for name, value in zip(names, row, strict=True)) + "}\n"
        for row in zip(*columns, strict=True)
    ]
    return "".join(lines).encode("utf-8")


def _json_of(text: str, bare: bool, is_ascii: bool) -> str:
    if text == "":
        return "null"
    if bare:
        try:
            json.loads(text, parse_constant=_refuse)
            return text
        except ValueError:
            pass
    return json.dumps(text, ensure_ascii=is_ascii)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
