"""`make crash`: kill -9 at every step of a run, then every other fault of the machine: readers, log and a repetition are none the worse.

For each step a home stands just before it (crash_scenes). Kills are spread over its file operations, and over its time where the
work is DuckDB's and dbt's. After each: what is live is the last good version, whole and readable, every kept version is whole, the log
verifies (a torn last line counts as sealed). Then the step is done again, plainly: it must end in the very same content.
The other faults (full or read-only disk, no memory, SIGTERM, clocks, leftovers, other runs) are in crash_resources.
Results: benchmarks/results/crash.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.crash_points import Moment, run_step
from benchmarks.crash_resources import Fault, faults
from benchmarks.crash_scenes import (
    STEPS,
    Scene,
    copy_home,
    make_scene,
    problem_after_kill,
    problem_after_repeat,
    set_stage,
    step_forward,
)
from crm_warehouse.evidence.kept import code_fingerprint
from crm_warehouse.settings import PROJECT
from crm_warehouse.simulator import Simulation, simulate

RESULTS = Path(__file__).parent / "results" / "crash.json"


FAULTS = tuple(dict.fromkeys(fault.name for fault in faults()))
BEGINS = {"plan": "extract", "run": "extract"}  # where a step stands that is none of the campaign's


@dataclass(frozen=True)
class Plan:
    """Kills of one step: at file operations (0: at each), at moments of its time, and how many before it is repeated."""

    operations: int
    moments: int
    in_a_row: int


PLANS = {
    "extract": Plan(40, 0, 4),
    "landing_gate": Plan(20, 12, 4),
    "build": Plan(6, 24, 5),
    "mart_gate": Plan(4, 12, 4),
    "publish": Plan(0, 0, 1),
    "evidence": Plan(0, 0, 1),
    "rollback": Plan(0, 0, 1),
    "erasure": Plan(40, 0, 4),
}


@dataclass
class Tally:
    """What the kills of one step came to."""

    step: str
    operations: int
    seconds: float
    kills: int = 0
    ended_before: int = 0
    repeats: int = 0
    problems: list[str] | None = None


def moments_of(scene: Scene, plan: Plan) -> list[Moment]:
    """Evenly spread over the step."""
    count = plan.operations or scene.operations
    count = min(count, scene.operations)
    at = sorted({1 + round(i * (scene.operations - 1) / max(1, count - 1)) for i in range(count)})
    times = [scene.seconds * (i + 0.5) / plan.moments for i in range(plan.moments)]
    return [Moment(operation=k) for k in at] + [Moment(seconds=s) for s in times]


def kill_all(scene: Scene, plan: Plan, folder: Path) -> Iterator[Tally]:
    """Kill the step at each of its moments; yields the tally after each."""
    tally = Tally(scene.step, scene.operations, round(scene.seconds, 1), problems=[])
    moments = moments_of(scene, plan)
    for begin in range(0, len(moments), plan.in_a_row):
        home = copy_home(scene.home, folder / "killed")
        settings = scene.settings_in(home)
        for moment in moments[begin : begin + plan.in_a_row]:
            ended = run_step(home, scene.source_root, scene.step, scene.argument, moment)
            tally.kills += ended.was_killed
            tally.ended_before += not ended.was_killed
            note(tally, moment, problem_after_kill(scene, settings))
            yield tally
        ended = run_step(home, scene.source_root, scene.step, scene.argument, Moment())
        tally.repeats += 1
        note(tally, moment, problem_after_repeat(scene, settings, ended))
        shutil.rmtree(home)
    yield tally


def meet(fault: Fault, scene: Scene, folder: Path) -> dict:
    """Let a fault happen: what was said of it, and what is wrong."""
    (place := folder / "met").mkdir()
    try:
        said, problem = fault.way(scene, place)
    except Exception as raised:  # this one could not be tried; the others still are
        said, problem = "", f"{type(raised).__name__}: {raised}"
    shutil.rmtree(place)
    said = said.replace(str(place), "...")
    return {"fault": fault.name, "step": fault.step, "said": said, "problem": problem}


def note(tally: Tally, moment: Moment, problem: str | None) -> None:
    if problem:
        tally.problems.append(f"{moment}: {problem}")


def run_campaign(
    folder: Path, steps: list[str], names: set[str], scale: float, customers: int, console: Console
) -> Iterator[Tally | dict]:
    """All steps in order, the tally of each as it ends, then what each of its faults came to: each step is done once after that,
    so the next begins where it ended."""
    console.print(f"A bank of {customers} customers; half of its days are published before the kills begin.")
    simulate(folder / "source_systems", Simulation(customers=customers), folder / "ground_truth")
    stage = folder / "stage"
    settings = set_stage(stage, folder / "source_systems")
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        for step in STEPS:
            here = [fault for fault in faults() if fault.name in names and BEGINS.get(fault.step, fault.step) == step]
            stood = sorted({fault.step for fault in here} | ({step} & set(steps)))
            scenes = {name: make_scene(stage, folder / "source_systems", name) for name in stood}
            if step in steps:
                scene = scenes[step]
                plan = PLANS[step]
                plan = replace(plan, operations=round(plan.operations * scale), moments=round(plan.moments * scale))
                task = bar.add_task(step, total=len(moments_of(scene, plan)))
                for tally in kill_all(scene, plan, folder):
                    bar.update(task, completed=tally.kills + tally.ended_before)
                yield tally
            for fault in here:
                yield meet(fault, scenes[fault.step], folder)
            if step not in ("rollback", "erasure"):
                step_forward(settings, step)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--customers", type=int, default=100)
    parser.add_argument("--steps", default=",".join(STEPS), help="that are killed; empty: none")
    parser.add_argument("--faults", default=",".join(FAULTS), help="other than kills; empty: none")
    parser.add_argument("--scale", type=float, default=1.0, help="more or fewer kills of the long steps")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    console, tallies, met = Console(), [], []
    names = set(filter(None, arguments.faults.split(",")))
    if unknown := names - set(FAULTS):
        parser.error(f"no such faults: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        steps = arguments.steps.split(",")
        for ended in run_campaign(Path(folder), steps, names, arguments.scale, arguments.customers, console):
            if isinstance(ended, Tally):
                tallies.append(ended)
                show(ended, console)
            else:
                met.append(ended)
                show_fault(ended, console)
            # A campaign that is stopped has been for something.
            write_results(arguments.results, arguments.customers, tallies, met)
    problems = sum(len(tally.problems) for tally in tallies) + sum(1 for fault in met if fault["problem"])
    kills = sum(tally.kills for tally in tallies)
    console.print(f"{kills} kills, {len(met)} other faults, {problems} problems")
    raise SystemExit(1 if problems else 0)


def show(tally: Tally, console: Console) -> None:
    """One step in a line, and what was wrong."""
    console.print(
        f"{tally.step}: {tally.operations} file operations in {tally.seconds} s, killed {tally.kills} times, ended before"
        f" {tally.ended_before}, done again {tally.repeats} times, {len(tally.problems)} problems",
        soft_wrap=True,
    )
    for problem in tally.problems:
        console.print(f"[red]{escape(problem)}[/]", soft_wrap=True)


def show_fault(met: dict, console: Console) -> None:
    """One fault in a line, with what was said of it, and what was wrong."""
    console.print(f"{met['step']}: {met['fault']}: {escape(met['said'] or 'ended well')}", soft_wrap=True)
    if met["problem"]:
        console.print(f"[red]{escape(met['problem'])}[/]", soft_wrap=True)


def write_results(results: Path, customers: int, tallies: list[Tally], met: list[dict]) -> None:
    """Keep what the steps came to so far."""
    body = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_sha256": code_fingerprint(PROJECT),
        "machine": f"{platform.system()} {platform.machine()}",
        "customers": customers,
        "kills": sum(tally.kills for tally in tallies),
        "steps": [vars(tally) for tally in tallies],
        "faults": met,
    }
    results.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
