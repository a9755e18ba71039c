"""Meeting a step of the real pipeline at a chosen point, most often with SIGKILL: before its n-th file operation, or after some seconds.

File operations are counted by Python's audit hooks: opening to write, renaming, removing, making and copying below the home. What
DuckDB and dbt do in between is reached by time. Steps run in forks of one server that has loaded the pipeline, so a kill costs
what the step costs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from crm_warehouse.errors import CrmWarehouseError
from crm_warehouse.settings import PROJECT, Settings

RUN_ID = "crash"
FIRST, HALF_WAY, AFTER_HALF, LAST = date(2026, 5, 31), date(2026, 6, 15), date(2026, 6, 16), date(2026, 6, 30)
PRELOADED = [
    "crm_warehouse.pipeline",
    "crm_warehouse.quality.landing_gate",
    "crm_warehouse.quality.mart_gate",
    "crm_warehouse.report",
]
OPERATIONS = {
    "open",
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "shutil.copyfile",
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def signal_self(number: int) -> None:
    os.kill(os.getpid(), number)


def nothing() -> None:
    """Happens to most steps."""


@dataclass(frozen=True)
class Moment:
    """When the step is met: before file operation number `operation`, or after `seconds`. Neither: never. `what` then happens
    in its process: it is killed."""

    operation: int = 0
    seconds: float = 0.0
    what: Callable[[], None] = field(default=partial(signal_self, signal.SIGKILL), repr=False)


NEVER = Moment()


@dataclass(frozen=True)
class Ended:
    """How a step ended: by a signal, or by itself after so many file operations, with the problem it raised if any.

    `is_told`: the problem is one for people, not an error of some library.
    """

    was_killed: bool
    operations: int = 0
    problem: str = ""
    is_told: bool = False


@dataclass(frozen=True)
class Started:
    """A step under way in a process, and a process group, of its own."""

    process: BaseProcess
    answer: Connection
    step: str

    def end(self, within: float = 1800) -> Ended:
        """Wait for its end, and for that of every process it had started: TimeoutError when one goes on."""
        deadline = time.monotonic() + within
        self.process.join(within)
        while left := processes_below(self.process.pid):
            if time.monotonic() > deadline:
                os.killpg(self.process.pid, signal.SIGKILL)
                raise TimeoutError(f"{self.step} did not end within {within:.0f} s: {len(left)} processes go on")
            time.sleep(0.01)
        self.process.join()
        if self.process.exitcode < 0:
            return Ended(was_killed=True)
        return Ended(False, *self.answer.recv())


def run_step(home: Path, source_root: Path, step: str, argument: str, moment: Moment, within: float = 1800) -> Ended:
    """Run one step of the pipeline on `home` in a process of its own, and meet it at the moment if it comes to it."""
    return start_step(home, source_root, step, argument, moment).end(within)


def start_step(
    home: Path,
    source_root: Path,
    step: str,
    argument: str = "",
    moment: Moment = NEVER,
    begin: Callable[[], None] = nothing,
) -> Started:
    """Let a step begin; `begin` is called in its process before it."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(PRELOADED)
    ours, theirs = server.Pipe()
    process = server.Process(target=_run, args=(home, source_root, step, argument, moment, begin, theirs))
    process.start()
    theirs.close()
    return Started(process, ours, step)


def processes_below(group: int) -> list[int]:
    """Processes of a process group that are still there."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        state, _, process_group = stat.rpartition(")")[2].split()[:3]
        if int(process_group) == group and state != "Z":
            found.append(int(entry.name))
    return found


def _run(
    home: Path,
    source_root: Path,
    step: str,
    argument: str,
    moment: Moment,
    begin: Callable[[], None],
    answer: Connection,
) -> None:
    from crm_warehouse import pipeline
    from crm_warehouse.progress import silent

    os.setpgid(0, 0)  # whom it starts is found by it
    settings = Settings("reference_bank", home, PROJECT, source_root)
    dates = (AFTER_HALF, LAST)
    steps = {
        "plan": lambda: pipeline.plan_run(settings, RUN_ID, *dates),
        "extract": lambda: pipeline.extract_source(settings, RUN_ID, argument, silent),
        "landing_gate": lambda: pipeline.judge_landing(settings, RUN_ID, silent),
        "build": lambda: pipeline.build_warehouse(settings, RUN_ID, silent),
        "mart_gate": lambda: pipeline.judge_marts(settings, RUN_ID, silent),
        "publish": lambda: pipeline.publish_marts(settings, RUN_ID),
        "evidence": lambda: pipeline.record_evidence(settings, RUN_ID),
        "rollback": lambda: _roll_back(settings, argument),
        "erasure": lambda: _erase(settings, argument),
        "run": lambda: pipeline.run(settings, argument, *dates, False, lambda step: silent),
    }
    done = _meet_before(str(home), moment)
    if moment.seconds:
        threading.Thread(target=_meet_after, args=(moment,), daemon=True).start()
    problem, is_told = "", False
    try:
        begin()
        steps[step]()
    except BaseException as raised:  # said to whoever asked: the campaign counts it
        problem, is_told = f"{type(raised).__name__}: {raised}", isinstance(raised, CrmWarehouseError | SystemExit)
    answer.send((done(), problem, is_told))


def _roll_back(settings: Settings, version: str) -> None:
    """As a person does it."""
    from crm_warehouse import cli

    os.environ.update(CRM_WAREHOUSE_HOME=str(settings.home), CRM_WAREHOUSE_BANK=settings.bank)
    os.environ.update(CRM_WAREHOUSE_DATA=str(settings.source_root))
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    cli.rollback(version=version, reason="crash campaign")


def _erase(settings: Settings, customer_id: str) -> None:
    """As a person asks for it, and a run ends what was killed."""
    from crm_warehouse.privacy import erasure
    from crm_warehouse.profile import load_profile

    profile = load_profile(settings)
    erasure.finish(settings, profile)
    if not erasure.read_erasures(settings):
        erasure.erase(settings, profile, customer_id, by="data protection", reason="crash campaign")


def _meet_before(home: str, moment: Moment) -> Callable[[], int]:
    """Install the hook; returns what tells how many operations there were."""
    count = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal count
        if event not in OPERATIONS or not str(arguments[0]).startswith(home):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return
        count += 1
        if count == moment.operation:
            moment.what()

    sys.addaudithook(hook)
    return lambda: count


def _meet_after(moment: Moment) -> None:
    threading.Event().wait(moment.seconds)
    moment.what()
