"""`make bench`: what one more business day costs, end to end, beside a floor written by hand in the same run.

A simulated bank is made and all deliveries but the last are published. The last one is the day that is timed, each phase in
a process of its own. Beside it: the core of the marts by hand (floor.sql), the same marts through dbt without tests, the whole
of dbt with --full-refresh, its SQL without dbt, twenty dashboard queries. Only ratios within a run say anything: other work
on the machine makes every time longer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from benchmarks.crash_scenes import copy_home
from benchmarks.dashboards import MOST_MS
from benchmarks.day_figures import draw, goals_of
from benchmarks.day_floor import compare_with_published
from benchmarks.day_profile import profile_build
from benchmarks.day_steps import BESIDE, PHASES, settings_of
from crm_warehouse import airflow_home, pipeline
from crm_warehouse.files import read_json
from crm_warehouse.privacy.tokens import write_key
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.settings import PROJECT, Settings

RESULTS = Path(__file__).parent / "results" / "day.json"
CHART = RESULTS.with_suffix(".svg")
LONGEST = date(2026, 6, 30)


def measured(command: list[str], environment: dict[str, str] | None = None) -> tuple[dict, str]:
    """Run a command to its end: its seconds, those of the processor with all its children, the largest process, its output."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[1:5])} ended with {process.returncode}\n{output[-2000:]}")
    figures = {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_gib": round(usage.ru_maxrss / 1024**2, 2),
    }
    return figures, output


def measured_step(step: str, settings: Settings, day: date, *more: str) -> dict:
    """A step of the day in a process of its own; what it found is among its figures."""
    before = bytes_below(settings.home)
    command = [sys.executable, "-m", "benchmarks.day_steps", step, str(settings.home), str(settings.source_root)]
    figures, output = measured([*command, day.isoformat(), *more])
    found = json.loads(output.strip().splitlines()[-1])
    return {**figures, "kept_mb": round((bytes_below(settings.home) - before) / 1e6, 1), **found}


def bytes_below(folder: Path) -> int:
    """Bytes of all files below a folder, each counted once under however many names."""
    sizes = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            sizes[status.st_ino] = status.st_size
    return sum(sizes.values())


def make_bank(folder: Path, customers: int, days: int) -> tuple[Settings, date]:
    """The bank with its initial delivery and `days` daily ones published, unless it is there; and the day that comes next."""
    from crm_warehouse.simulator import Simulation, simulate

    settings = settings_of(folder / "before", folder / "sent")
    profile = load_profile(settings)
    dates = profile.business_dates(profile.initial_delivery_on, LONGEST)[: days + 2]
    simulation = Simulation(customers=customers, last_business_date=dates[-1])
    simulate(settings.source_root, simulation, folder / "ground_truth", silent)
    if not (settings.published / "current.json").is_file():
        if not settings.customer_key_file.exists():
            write_key(settings.customer_key_file, f"{simulation.seed:064x}")
        pipeline.run(settings, "before", dates[0], dates[-2], False, lambda step: silent)
    return settings, dates[-1]


def time_in_airflow(settings: Settings, day: date) -> dict:
    """The same day as a run of its DAG, in a home that has not had it; the metadata database is there already, as every night."""
    airflow_home.prepare(settings)
    params = {"bank": settings.bank, "data": str(settings.source_root), "business_date": day.isoformat()}
    command = [sys.executable, "-m", "crm_warehouse.operators.local_run", "crm_warehouse_daily", json.dumps(params)]
    figures, _ = measured(command, airflow_home.environment(settings))
    return figures


def time_day(folder: Path, customers: int, days: int, with_airflow: bool, beside: list[str], console: Console) -> dict:
    """Everything of one size."""
    console.print(f"{customers:,} customers: simulating, then publishing the initial delivery and {days} days ...")
    timed = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit(), "machine": machine()}
    staged, day = make_bank(folder, customers, days)
    settings = settings_of(copy_home(staged.home, Path(tempfile.mkdtemp(dir=folder)) / "home"), staged.source_root)
    phases = {}
    for phase in PHASES:
        phases[phase] = measured_step(phase, settings, day)
        console.print(f"{phase:>14} {phases[phase]}")
    compared = {}
    for step in beside:
        compared[step] = measured_step(step, settings, day, str(folder / "beside" / step))
        console.print(f"{step:>14} {compared[step]}")
    marts = compare_with_published(settings, folder / "beside" / "floor" / "floor.duckdb")
    differing = {mart: found for mart, found in marts.items() if found["rows_differing"]}
    result = {
        **timed,
        "customers": customers,
        "days_before": days,
        "business_date": day.isoformat(),
        "phases": phases,
        "beside": compared,
        "floor_covers": marts,
        "floor_leaves_out": sorted(read_json(settings.published / "current.json")["tables"].keys() - marts.keys()),
        "profile": profile_build(settings.warehouse / "dbt"),
    }
    if with_airflow:
        home = copy_home(staged.home, Path(tempfile.mkdtemp(dir=folder)) / "home")
        result["airflow"] = time_in_airflow(settings_of(home, staged.source_root), day)
    result["goals"] = goals_of(result, MOST_MS)
    # A floor that works out something else is none.
    assert not differing, f"the floor is not what was published: {differing}"
    return result


def machine() -> dict:
    """What the figures depend on, without saying whose machine it is."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    libraries = {name: version(name) for name in ("duckdb", "dbt-core", "dbt-duckdb", "great-expectations")}
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 1024**3, 1),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **libraries,
    }


def commit() -> str:
    """The commit that was timed, with `+` when files differ from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True).stdout

    changed = git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return git("rev-parse", "--short", "HEAD").strip() + ("+" if changed.strip() else "")


def keep(result: dict) -> None:
    """Append to the results; the chart shows the last one of each size."""
    results = read_json(RESULTS) if RESULTS.is_file() else []
    results.append(result)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    CHART.write_text(draw(results) + "\n", encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day", description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument(
        "--days", type=int, default=19, help="daily deliveries published before the timed one (at most 20)"
    )
    parser.add_argument("--airflow", action="store_true", help="the same day once more, in Airflow")
    parser.add_argument("--without", nargs="*", default=[], choices=BESIDE, help="what not to compare with")
    parser.add_argument("--folder", type=Path, help="where the bank is made and kept; else a temporary folder")
    given = parser.parse_args()
    if "floor" in given.without:
        parser.error("without the floor there is nothing to compare with")
    beside = [step for step in BESIDE if step not in given.without]
    console = Console(soft_wrap=True)
    with tempfile.TemporaryDirectory(prefix="bench_day_") as temporary:
        folder = (given.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        result = time_day(folder, given.customers, given.days, given.airflow, beside, console)
    keep(result)
    for goal in result["goals"]:
        console.print(f"{'met' if goal['is_met'] else 'missed':>7}  {goal['goal']}: {goal['found']}")


if __name__ == "__main__":
    main()
