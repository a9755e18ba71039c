"""Ending a step of the real pipeline with SIGKILL at a chosen point: before its n-th file operation, or after some seconds.

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
from dataclasses import dataclass
from pathlib import Path

from crm_warehouse.settings import PROJECT, Settings

RUN_ID = "crash"
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


@dataclass(frozen=True)
class Moment:
    """When the step is killed: before file operation number `operation`, or after `seconds`. Neither: never."""

    operation: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Ended:
    """How a step ended: killed, or by itself after so many file operations, with the exception it raised if any."""

    was_killed: bool
    operations: int = 0
    problem: str = ""


def run_step(home: Path, source_root: Path, step: str, argument: str, moment: Moment, within: float = 600) -> Ended:
    """Run one step of the pipeline on `home` in a process of its own, killed at the moment if it comes to it."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(PRELOADED)
    ours, theirs = server.Pipe()
    process = server.Process(target=_run, args=(home, source_root, step, argument, moment, theirs))
    process.start()
    theirs.close()
    process.join(within)
    if process.is_alive():
        process.kill()
        raise TimeoutError(f"{step} did not end within {within:.0f} s")
    if process.exitcode == -signal.SIGKILL:
        return Ended(was_killed=True)
    operations, problem = ours.recv()
    return Ended(False, operations, problem)


def _run(home: Path, source_root: Path, step: str, argument: str, moment: Moment, answer) -> None:
    from crm_warehouse import pipeline
    from crm_warehouse.progress import silent

    settings = Settings("reference_bank", home, PROJECT, source_root)
    steps = {
        "extract": lambda: pipeline.extract_source(settings, RUN_ID, argument, silent),
        "landing_gate": lambda: pipeline.judge_landing(settings, RUN_ID, silent),
        "build": lambda: pipeline.build_warehouse(settings, RUN_ID, silent),
        "mart_gate": lambda: pipeline.judge_marts(settings, RUN_ID, silent),
        "publish": lambda: pipeline.publish_marts(settings, RUN_ID),
        "evidence": lambda: pipeline.record_evidence(settings, RUN_ID),
        "rollback": lambda: _roll_back(settings, argument),
    }
    done = _kill_before(str(home), moment.operation)
    if moment.seconds:
        threading.Thread(target=_kill_after, args=(moment.seconds,), daemon=True).start()
    problem = ""
    try:
        steps[step]()
    except Exception as raised:  # said to whoever asked: the campaign counts it
        problem = f"{type(raised).__name__}: {raised}"
    answer.send((done(), problem))


def _roll_back(settings: Settings, version: str) -> None:
    """As a person does it."""
    from crm_warehouse import cli

    os.environ.update(CRM_WAREHOUSE_HOME=str(settings.home), CRM_WAREHOUSE_BANK=settings.bank)
    os.environ.update(CRM_WAREHOUSE_DATA=str(settings.source_root))
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    cli.rollback(version=version, reason="crash campaign")


def _kill_before(home: str, operation: int):
    """Install the hook; returns what tells how many operations there were."""
    count = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal count
        if event not in OPERATIONS or not str(arguments[0]).startswith(home):
            return
        if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & WRITING):
            return
        count += 1
        if count == operation:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return lambda: count


def _kill_after(seconds: float) -> None:
    threading.Event().wait(seconds)
    os.kill(os.getpid(), signal.SIGKILL)
