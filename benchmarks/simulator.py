"""How long a large bank takes to simulate, and how much memory: `make bench-simulator`, kept in results/simulator.json.

By default a million customers, 24 months of history and 31 daily deliveries after the initial one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from crm_warehouse.simulator import Simulation, delivery_dates, simulate

RESULTS = Path(__file__).parent / "results" / "simulator.json"
LIMITS = {"seconds": 15 * 60, "gib": 8.0}


def memory_of_group(group: int) -> int:
    """Resident bytes of every process of a process group, shared pages counted once per process."""
    pages = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                pages += int((entry / "statm").read_text().split()[1])
        except OSError:  # it has ended meanwhile
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=1_000_000)
    options.add_argument("--to", type=date.fromisoformat, default=date(2026, 7, 14))
    options.add_argument("--folder", type=Path, help="where to write; a temporary folder by default")
    chosen = options.parse_args()
    simulation = Simulation(customers=chosen.customers, last_business_date=chosen.to)
    folder = Path(tempfile.mkdtemp(prefix="simulator_", dir=chosen.folder))
    os.setpgid(0, 0)
    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            peak[0] = max(peak[0], memory_of_group(os.getpgrp()))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    phases: dict[str, float] = {}
    began = time.monotonic()
    columns = (TextColumn("{task.description:>22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns) as bars:
            tasks: dict[str, int] = {}

            def show(what: str, step: int, steps: int) -> None:
                tasks.setdefault(what, bars.add_task(what, total=steps) if what not in tasks else tasks[what])
                bars.update(tasks[what], completed=step)
                phases[what] = round(time.monotonic() - began, 1)

            simulate(folder / "extracts", simulation, folder / "truth", show)
        seconds = time.monotonic() - began
        size = sum(path.stat().st_size for path in (folder / "extracts").rglob("*") if path.is_file())
    finally:
        done.set()
        watcher.join()
        shutil.rmtree(folder, ignore_errors=True)
    found = {
        "customers": simulation.customers,
        "history_months": simulation.history_months,
        "deliveries": len(delivery_dates(simulation)),
        "seconds": round(seconds, 1),
        "seconds_when_done": phases,
        "peak_gib": round(peak[0] / 2**30, 2),
        "written_gib": round(size / 2**30, 2),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "on": date.today().isoformat(),
    }
    print(json.dumps(found, indent=2))
    if simulation.customers >= 1_000_000:
        RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        if found["seconds"] > LIMITS["seconds"] or found["peak_gib"] > LIMITS["gib"]:
            raise SystemExit(f"slower or larger than agreed: {LIMITS}")


if __name__ == "__main__":
    main()
