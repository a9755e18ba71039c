"""Reading what the simulated bank wrote, as its profile declares it."""

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from crm_warehouse.simulator import Simulation, delivery_dates

PROFILE = Path(__file__).parents[1] / "dbt_project" / "banks" / "reference_bank" / "extracts.yml"
SIMULATION = Simulation(customers=300)
DELIVERIES = delivery_dates(SIMULATION)
INITIAL, LAST = DELIVERIES[0], DELIVERIES[-1]

ARROW_TYPES = {
    "text": pa.string(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "decimal": pa.decimal128(18, 2),
    "fraction": pa.decimal128(18, 9),
    "quantity": pa.decimal128(18, 6),
    "integer": pa.int64(),
}
PATTERNS = {
    "date": r"\d{4}-\d{2}-\d{2}",
    "timestamp": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z",
    "boolean": r"true|false",
    "decimal": r"-?\d+\.\d{2}",
    "fraction": r"-?\d+(\.\d{1,9})?",
    "quantity": r"-?\d+(\.\d{1,6})?",
    "integer": r"-?\d+",
    "text": r"(?s).+",
}


def declared_extracts() -> Iterator[tuple[str, dict, str, dict]]:
    for source, written in yaml.safe_load(PROFILE.read_text(encoding="utf-8"))["sources"].items():
        for extract, declared in written["extracts"].items():
            yield source, written, extract, declared


EXTRACTS = {f"{source}.{extract}": (written, declared) for source, written, extract, declared in declared_extracts()}


def data_path(folder: Path, name: str, business_date: date) -> Path:
    source, extract = name.split(".")
    pattern = EXTRACTS[name][0].get("file", f"{source}/{{business_date}}/{{extract}}.jsonl")
    return folder / pattern.format(business_date=business_date.isoformat(), extract=extract)


def as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return f"{value:f}" if isinstance(value, Decimal) else str(value).lower()


def read(folder: Path, name: str, business_date: date) -> pd.DataFrame:
    """All columns as text, missing as None."""
    written, declared = EXTRACTS[name]
    path = data_path(folder, name, business_date)
    if written["kind"] == "parquet":
        table = pq.read_table(path)
        wanted = {column: ARROW_TYPES[d["type"]] for column, d in declared["columns"].items()}
        assert dict(zip(table.column_names, table.schema.types, strict=True)) == wanted
        columns = {column: [as_text(value) for value in table[column].to_pylist()] for column in table.column_names}
        return pd.DataFrame(columns, dtype=object)
    if written["kind"] == "http":
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return pd.DataFrame(
            [[as_text(value) for value in record.values()] for record in records],
            columns=list(records[0]) if records else list(declared["columns"]),
            dtype=object,
        )
    text = path.read_bytes().decode(written["encoding"])
    assert text.endswith("\n") and "\r" not in text
    lines = text.splitlines()
    if len(written["delimiter"]) > 1:
        rows = [line.split(written["delimiter"]) for line in lines]
    else:
        rows = list(csv.reader(lines, delimiter=written["delimiter"], strict=True))
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype=object)
    return frame.where(frame != "", None)


def fen(amounts: pd.Series) -> pd.Series:
    return amounts.str.replace(".", "", regex=False).astype("int64")


def tree_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
