"""Writes the extracts: blocks of customers are simulated side by side, then each delivery is what was known on its date.

What is simulated waits as Parquet in a hidden folder until all deliveries are written, so memory does not grow with the
bank. How many processes work has no influence on a byte.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.progress import Progress, silent
from crm_warehouse.simulator.extracts import CONTROL_TOTALS, EXTRACTS
from crm_warehouse.simulator.simulation import Block, Simulation, blocks_of, delivery_dates
from crm_warehouse.simulator.tables import bank_tables, block_tables

# How each source writes: file ending, encoding, delimiter.
FORMATS = {
    "core": ("csv", "gb18030", "|"),
    "wealth": ("parquet", "", ""),
    "crm": ("jsonl", "utf-8", ""),
    "finance": ("txt", "utf-8", "|+|"),
    "reference": ("csv", "utf-8", ","),
}

MACROS = """
    create macro money(fen) as
        cast(cast(fen as decimal(18, 0)) * cast(0.01 as decimal(3, 2)) as decimal(18, 2));
    create macro written(fen) as case when fen >= 0 then cast(money(fen) as varchar) end;
    create macro utc(second) as
        strftime(timestamp '{first} 00:00:00' + to_seconds(second - 8 * 3600), '%Y-%m-%dT%H:%M:%SZ');
    create macro happened(second) as case when second >= 0 and second < {until} then utc(second) end;
    create macro is_news(second) as second >= 0 and second >= {since} and second < {until};
    create macro has_come(day) as day >= 0 and day * 86400 < {until};
"""

MARKER = "simulation.json"
SPILL = ".simulated"
IN_ONE_PROCESS_UP_TO = 20_000  # customers: below, starting processes costs more than they save
MEMORY_OF_WRITER = "1500MB"
SET_ASIDE = (".before_corruption", ".withheld")  # by `corrupt` and `redeliver`; of no use to another simulation


def simulate(
    folder: Path, simulation: Simulation, ground_truth: Path, progress: Progress | None = None, processes: int = 0
) -> bool:
    """Write every extract of every delivery below folder, and the truth behind them to ground_truth as Parquet.

    Returns False and writes nothing when this very simulation is already there. What an earlier, unfinished or
    different simulation, or other simulator code, left in the folder is removed first; other files are left alone.
    progress is called with (what is being done, steps done, steps in all). processes: 0 is one per core.
    """
    marker = folder / MARKER
    described = json.dumps({"code": _code_sha256(), **asdict(simulation)}, default=str, indent=2, sort_keys=True) + "\n"
    if marker.exists() and marker.read_text(encoding="utf-8") == described and ground_truth.is_dir():
        return False
    marker.unlink(missing_ok=True)
    for leftover in (*(folder / name for name in (*FORMATS, *SET_ASIDE)), folder / SPILL, ground_truth):
        shutil.rmtree(leftover, ignore_errors=True)
    spill = folder / SPILL
    spill.mkdir(parents=True)
    if not processes:
        processes = 1 if simulation.customers <= IN_ONE_PROCESS_UP_TO else os.cpu_count() or 1
    blocks = blocks_of(simulation)
    _spill(spill, bank_tables(simulation), 0)
    work = ((_spill_block, (spill, block)) for block in blocks)
    _run_all(work, len(blocks), processes, "customers simulated", progress or silent)
    days = range(len(delivery_dates(simulation)))
    work = ((_write_delivery, (folder, simulation, number)) for number in days)
    _run_all(work, len(days), processes, "deliveries written", progress or silent)
    ground_truth.mkdir(parents=True)
    for table in sorted(spill.glob("truth_*")):
        _gather_truth(table, ground_truth / f"{table.name.removeprefix('truth_')}.parquet")
    shutil.rmtree(spill)
    unfinished = marker.with_suffix(".part")
    unfinished.write_text(described, encoding="utf-8")
    unfinished.replace(marker)
    return True


def _code_sha256() -> str:
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(module.read_bytes() for module in modules)).hexdigest()


def _run_all(work: Iterable[tuple[Callable, tuple]], total: int, processes: int, what: str, progress: Progress) -> None:
    """Do every piece of work, each in a process of its own when more than one may run."""
    progress(what, 0, total)
    if processes == 1 or total == 1:
        for done, (function, arguments) in enumerate(work, start=1):
            function(*arguments)
            progress(what, done, total)
        return
    # Spawned, not forked: a forked process would inherit the threads of Arrow and DuckDB half-way.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running = [pool.submit(function, *arguments) for function, arguments in work]
        for done, finished in enumerate(as_completed(running), start=1):
            finished.result()
            progress(what, done, total)


def _spill_block(spill: Path, block: Block) -> None:
    _spill(spill, block_tables(block), block.number)


def _spill(spill: Path, tables: Iterable[tuple[str, dict | pa.Table]], number: int) -> None:
    for name, columns in tables:
        table = columns if isinstance(columns, pa.Table) else pa.table(columns)
        (spill / name).mkdir(exist_ok=True)
        pq.write_table(table, spill / name / f"{number:04d}.parquet", compression="snappy", row_group_size=1 << 17)


def _gather_truth(spilled: Path, path: Path) -> None:
    """One file per table of the ground truth."""
    parts = [pq.read_table(part) for part in sorted(spilled.iterdir())]
    pq.write_table(pa.concat_tables(parts), path, compression="zstd")


def _write_delivery(folder: Path, simulation: Simulation, number: int) -> None:
    """All extracts of one delivery."""
    dates = delivery_dates(simulation)
    business_date, next_midnight = dates[number], np.datetime64(dates[number]) + 1
    until = int(simulation.day_numbers(next_midnight)) * 86_400
    since = int(simulation.day_numbers(dates[number - 1])) * 86_400 + 86_400 if number else -(10**12)
    values = {"$since": str(since), "$until": str(until), "$first": f"date '{simulation.history_from}'",
              "$d": f"date '{business_date}'"}  # fmt: skip
    with duckdb.connect() as database:
        database.execute(f"set threads = 1; set memory_limit = '{MEMORY_OF_WRITER}'; set enable_progress_bar = false")
        database.execute(f"set temp_directory = '{_quoted(folder / SPILL / f'duckdb_{number}')}'")
        database.execute(MACROS.format(first=simulation.history_from, since=since, until=until))
        for table in sorted((folder / SPILL).iterdir()):
            if not table.name.startswith(("duckdb_", "truth_")):
                database.execute(f"create view {table.name} as from read_parquet('{_quoted(table)}/*.parquet')")
        for (source, extract), query in EXTRACTS.items():
            for name, value in values.items():
                query = query.replace(name, value)
            path = folder / source / business_date.isoformat() / f"{extract}.{FORMATS[source][0]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = _write_data(database, source, query, path)
            _write_control(database, extract, query, rows, path, business_date)


def _write_data(database: duckdb.DuckDBPyConnection, source: str, query: str, path: Path) -> int:
    """The rows of a query, in the way its source writes files. Returns how many."""
    _, encoding, delimiter = FORMATS[source]
    if source == "wealth":
        return _copy(database, query, path, "format parquet, compression zstd")
    if source == "crm":
        return _copy(database, query, path, "format json")
    if len(delimiter) > 1:  # DuckDB writes single-byte delimiters only; these tables are small
        relation = database.sql(f"select columns(*)::varchar from ({query})")
        rows = relation.fetchall()
        lines = [relation.columns, *(["" if value is None else value for value in row] for row in rows)]
        path.write_text("".join(delimiter.join(line) + "\n" for line in lines), encoding=encoding, newline="\n")
        return len(rows)
    delimited = f"format csv, header, delimiter '{delimiter}', nullstr ''"
    if encoding == "utf-8":
        return _copy(database, query, path, delimited)
    unconverted = path.with_suffix(".part")
    rows = _copy(database, query, unconverted, delimited)
    with (
        unconverted.open(encoding="utf-8", newline="") as text,
        path.open("w", encoding=encoding, newline="") as converted,
    ):
        shutil.copyfileobj(text, converted, 1 << 20)
    unconverted.unlink()
    return rows


def _copy(database: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> int:
    return database.execute(f"copy ({query}) to '{_quoted(path)}' ({options})").fetchone()[0]


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _write_control(
    database: duckdb.DuckDBPyConnection, extract: str, query: str, rows: int, path: Path, business_date: date
) -> None:
    """The control file that tells a receiver the data file is whole; written after it."""
    with path.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    lines = [f"file={path.name}", f"business_date={business_date}", "sequence=1", f"rows={rows}", f"sha256={digest}"]
    lines.append(f"sent_at={business_date}T17:30:00Z")  # half past one in the morning after, in Shanghai
    if column := CONTROL_TOTALS.get(extract):
        total = database.execute(f"select coalesce(sum({column}), 0) from ({query})").fetchone()[0]
        lines.append(f"total_{column}={total:.2f}")
    path.with_suffix(".ctl").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
