"""`make faults`: damages a simulated bank's deliveries in every way there is, and scores what the landing gate makes of it.

The bank's clean days run through the gate first, one night after another: they are the accepted history, and the
measure of false alarms. Then each case (kind x way x day x magnitude x seed) is extracted, landed and judged in a copy
of that history. What is recorded is which rules failed; everything else is computed from the records. A campaign that
was stopped goes on where it was; code that decides anything makes a new one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks import fault_report
from benchmarks.fault_bank import (
    FaultBank,
    accept_clean_days,
    append_record,
    read_records,
    simulate_bank,
)
from benchmarks.fault_cases import run_case
from benchmarks.fault_plan import FULL, QUICK, Campaign, FaultCase, cases_of, damaged_days
from benchmarks.fault_verdicts import Judge
from crm_warehouse.demonstration import progress_bars
from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.evidence.kept import code_fingerprint
from crm_warehouse.policy import parameter
from crm_warehouse.progress import Progress
from crm_warehouse.settings import PROJECT, load_settings
from crm_warehouse.simulator.corruption.catalogue import find_kind

RESULTS = Path(__file__).parent / "results" / "faults.json"
REPORT = Path(__file__).parent / "faults.md"
# Then fresh processes: the memory of old cases' engines goes with the old ones. Not `max_tasks_per_child`, which hangs
# on Python 3.11 when a worker is replaced.
CASES_PER_POOL = 300


def run_campaign(
    campaign: Campaign,
    bank: FaultBank,
    folder: Path,
    processes: int,
    progress_of: Callable[[str], Progress],
    minutes: float = math.inf,
) -> dict:
    """Clean days, cases, score. What is on record in `folder` already is not run again.

    When `minutes` are over no further case is begun, and the score is of those on record: it says how many were planned.
    """
    started = time.monotonic()
    days = bank.business_days(campaign.last)
    clean = accept_clean_days(bank, days, folder / "clean.jsonl", progress_of("clean days"))
    profile = bank.profile
    cases = list(cases_of(campaign, profile, damaged_days(days)))
    on_record = {record["id"]: record for record in read_records(folder / "cases.jsonl")}
    todo = [case for case in cases if case.id not in on_record]
    todo.sort(key=lambda case: _turn(case, campaign))
    for done, record in enumerate(_run_all(bank, folder / "workspaces", clean, todo if minutes else [], processes)):
        on_record[record["id"]] = record
        append_record(folder / "cases.jsonl", record)
        progress_of("cases")(record["kind"], done + 1, len(todo))
        if time.monotonic() - started > 60 * minutes:
            break
    shutil.rmtree(folder / "workspaces", ignore_errors=True)
    money = frozenset(spec.table for spec in profile.extracts if any(c.control_total for c in spec.columns))
    judge = Judge(clean, money, float(parameter(profile.folder, "quarantine_max_share", days[-1])))
    return fault_report.score(
        judge,
        [on_record[case.id] for case in cases if case.id in on_record],
        [clean[day.isoformat()] for day in days[1:]],  # the initial delivery is no ordinary night
        sorted({rule for record in clean.values() for rule in record["rules"]}),
        campaign.describe()
        | {
            "planned": len(cases),
            "seconds": round(time.monotonic() - started),
            "resumed": len(todo) < len(cases),
        },
    )


def _run_all(
    bank: FaultBank, folder: Path, clean: dict[str, dict], cases: list[FaultCase], processes: int
) -> Iterator[dict]:
    """Records as cases end. In batches, each with processes of its own: see CASES_PER_POOL."""
    if processes == 1:
        yield from (run_case(bank, folder, clean[case.day.isoformat()], case) for case in cases)
        return
    # Spawned, not forked: a forked process would inherit the threads of Arrow and DuckDB half-way.
    context = multiprocessing.get_context("spawn")
    for first in range(0, len(cases), CASES_PER_POOL):
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            running = [
                pool.submit(run_case, bank, folder, clean[case.day.isoformat()], case)
                for case in cases[first : first + CASES_PER_POOL]
            ]
            try:
                for finished in as_completed(running):
                    yield finished.result()
            finally:
                pool.shutdown(cancel_futures=True)  # no more are wanted when the time is over
        shutil.rmtree(folder, ignore_errors=True)


def _turn(case: FaultCase, campaign: Campaign) -> float:
    """Day type by day type, the magnitudes that the goals are about first; smaller ones after those of the next day type."""
    is_small = case.magnitude != find_kind(case.kind).magnitude
    return campaign.day_types.index(case.day_type) + 1.5 * is_small


def campaign_folder(work: Path, campaign: Campaign) -> Path:
    """One folder for each code and each bank: other rules or another bank are another campaign; other kinds are not."""
    bank = {name: campaign.describe()[name] for name in ("customers", "history_from", "first", "last")}
    key = json.dumps([code_fingerprint(PROJECT), bank], sort_keys=True)
    return work / hashlib.sha256(key.encode()).hexdigest()[:12]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="300 customers, one day, one magnitude: some ten minutes")
    parser.add_argument("--kinds", help="only these, separated by commas (crm-warehouse corrupt --list)")
    parser.add_argument("--customers", type=int, help="size of the simulated bank")
    parser.add_argument("--seeds", type=int, help="how many times each case, with other rows")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no case after, and score those done")
    parser.add_argument("--work", type=Path, help="where campaigns are kept; default: faults/ below var/")
    given = parser.parse_args()
    campaign = QUICK if given.quick else FULL
    changes = {name: getattr(given, name) for name in ("customers", "seeds") if getattr(given, name)}
    kinds = tuple(given.kinds.split(",")) if given.kinds else ()
    campaign = replace(campaign, kinds=kinds, **changes)
    console = Console()
    try:
        [find_kind(kind) for kind in kinds]
    except CorruptionRefused as problem:
        parser.error(str(problem))
    folder = campaign_folder(given.work or load_settings().home / "faults", campaign)
    with progress_bars(console) as bars:
        bank = simulate_bank(folder, campaign, bars.of_step("source systems"))
        scored = run_campaign(campaign, bank, folder, given.processes, bars.of_step, given.minutes)
    fault_report.show(scored, console)
    report = fault_report.as_markdown(scored)
    (folder / "faults.md").write_text(report, encoding="utf-8")
    (folder / "faults.json").write_text(json.dumps(scored, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    console.print(f"kept in {folder}", soft_wrap=True)
    if not kinds and not given.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        shutil.copy2(folder / "faults.json", RESULTS)
        shutil.copy2(folder / "faults.md", REPORT)


if __name__ == "__main__":
    main()
