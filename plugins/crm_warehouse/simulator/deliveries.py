"""Writes the extracts: every table goes into DuckDB once, and each delivery is what was known on its date."""

import hashlib
import json
import shutil
from dataclasses import asdict
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.progress import Progress, silent
from crm_warehouse.simulator.extracts import CONTROL_TOTALS, EXTRACTS
from crm_warehouse.simulator.simulation import Simulation, delivery_dates
from crm_warehouse.simulator.tables import simulated_tables

# How each source writes: file ending, encoding, delimiter.
FORMATS = {
    "core": ("csv", "gb18030", "|"),
    "wealth": ("parquet", "", ""),
    "crm": ("csv", "utf-8", ","),
    "finance": ("txt", "utf-8", "|+|"),
    "reference": ("csv", "utf-8", ","),
}

MACROS = """
    create macro money(fen) as
        cast(cast(fen as decimal(18, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2));
    create macro utc(second) as
        strftime(timestamp '{midnight} 00:00:00' + to_seconds(second - 8 * 3600), '%Y-%m-%dT%H:%M:%SZ');
"""


MARKER = "simulation.json"
SET_ASIDE = (".before_corruption", ".withheld")  # by `corrupt` and `redeliver`; of no use to another simulation


def simulate(folder: Path, simulation: Simulation, progress: Progress | None = None) -> bool:
    """Write every extract of every delivery below folder.

    Returns False and writes nothing when this very simulation is already there. What an earlier, unfinished or
    different simulation, or other simulator code, left in the folder is removed first; other files are left alone.
    progress is called with (what is being done, steps done, steps in all).
    """
    marker = folder / MARKER
    described = json.dumps({"code": _code_sha256(), **asdict(simulation)}, default=str, indent=2, sort_keys=True) + "\n"
    if marker.exists() and marker.read_text(encoding="utf-8") == described:
        return False
    marker.unlink(missing_ok=True)
    for source in (*FORMATS, *SET_ASIDE):
        shutil.rmtree(folder / source, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    _write_deliveries(folder, simulation, progress or silent)
    unfinished = marker.with_suffix(".part")
    unfinished.write_text(described, encoding="utf-8")
    unfinished.replace(marker)
    return True


def _code_sha256() -> str:
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(module.read_bytes() for module in modules)).hexdigest()


def _write_deliveries(folder: Path, simulation: Simulation, progress: Progress) -> None:
    """Simulate the bank and write all its deliveries below folder."""
    deliveries = delivery_dates(simulation)
    with duckdb.connect() as database:
        database.execute(MACROS.format(midnight=simulation.history_from))
        for name, columns in simulated_tables(simulation, progress):
            database.register("incoming", columns if isinstance(columns, pa.Table) else pa.table(columns))
            database.execute(f"create table {name} as select * from incoming")
            database.unregister("incoming")
        for number, business_date in enumerate(deliveries):
            progress("deliveries written", number, len(deliveries))
            for (source, extract), query in EXTRACTS.items():
                dated = query.replace("$d", f"date '{business_date}'")
                database.execute(f"create or replace temp table outgoing as {dated}")
                path = folder / source / business_date.isoformat() / f"{extract}.{FORMATS[source][0]}"
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_data(database, source, path)
                _write_control(database, extract, path, business_date)
        progress("deliveries written", len(deliveries), len(deliveries))


def _write_data(database: duckdb.DuckDBPyConnection, source: str, path: Path) -> None:
    """The rows of outgoing, in the way its source writes files."""
    _, encoding, delimiter = FORMATS[source]
    if source == "wealth":
        pq.write_table(database.table("outgoing").to_arrow_table(), path, compression="zstd")
    elif len(delimiter) > 1:  # DuckDB writes single-byte delimiters only; these tables are small
        relation = database.sql("select columns(*)::varchar from outgoing")
        lines = [relation.columns, *(["" if value is None else value for value in row] for row in relation.fetchall())]
        path.write_text("".join(delimiter.join(line) + "\n" for line in lines), encoding=encoding, newline="\n")
    elif encoding == "utf-8":
        _copy(database, path, delimiter)
    else:
        unconverted = path.with_suffix(".part")
        _copy(database, unconverted, delimiter)
        with (
            unconverted.open(encoding="utf-8", newline="") as text,
            path.open("w", encoding=encoding, newline="") as converted,
        ):
            shutil.copyfileobj(text, converted, 1 << 20)
        unconverted.unlink()


def _copy(database: duckdb.DuckDBPyConnection, path: Path, delimiter: str) -> None:
    target = str(path).replace("'", "''")
    database.execute(f"copy outgoing to '{target}' (format csv, header, delimiter '{delimiter}', nullstr '')")


def _write_control(database: duckdb.DuckDBPyConnection, extract: str, path: Path, business_date: date) -> None:
    """The control file that tells a receiver the data file is whole; written after it."""
    column = CONTROL_TOTALS.get(extract)
    total = f", coalesce(sum({column}), 0)" if column else ""
    rows, *totals = database.execute(f"select count(*){total} from outgoing").fetchone()
    with path.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    lines = [f"file={path.name}", f"business_date={business_date}", "sequence=1", f"rows={rows}", f"sha256={digest}"]
    lines.append(f"sent_at={business_date}T17:30:00Z")  # half past one in the morning after, in Shanghai
    lines += [f"total_{column}={value:.2f}" for value in totals]
    path.with_suffix(".ctl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
