"""Faults of the machine and of others at work, each at the step it hits: the part of `make crash` that is no kill.

Of each must hold what must hold of a kill (crash_scenes): what is live stays whole and readable, the log verifies, and the step
done again, plainly, ends in the same content. And what failed must say why in one sentence that a person can act on.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import crash_faults as machine
from benchmarks.crash_points import AFTER_HALF, LAST, RUN_ID, Ended, Moment, nothing, signal_self, start_step
from benchmarks.crash_scenes import MOVING, Scene, copy_home, problem_after_kill, problem_after_repeat
from crm_warehouse import pipeline
from crm_warehouse.files import write_json
from crm_warehouse.publish import versions
from crm_warehouse.publish.opening import open_live
from crm_warehouse.settings import Settings

NO_ROOM = r"no room is left to write .*: make room on its disk, then run again"
NO_RIGHT = r"cannot be written or read \(.*\): let the user who runs this do so"
NO_MEMORY = r"the memory ran out|the machine had no memory left"
STALE = r"went live while this run worked|a newer run published"
WORKING = ("landing_gate", "build", "mart_gate")  # whose middle is in DuckDB and dbt, not between file operations
PROMPTLY = 120  # seconds from the step's begin, which is most of them


@dataclass(frozen=True)
class Fault:
    """`name` at `step`: `way` lets it happen in a folder and returns (what was said, what is wrong)."""

    name: str
    step: str
    way: Callable[[Scene, Path], tuple[str, str | None]]


def struck(
    scene: Scene,
    folder: Path,
    says: str = "",
    at: float | None = None,
    after: float | None = None,
    what: Callable[[], None] = nothing,
    begin: Callable[[], None] = nothing,
    full: bool = False,
    read_only: str = "",
    within: float = 1800,
    may_die: bool = False,
) -> tuple[str, str | None]:
    """The step meets something: from its `begin`; or `what`, `at` a share of its file operations or `after` one of its time.

    `says`: what it must say if it fails; empty: it must end as if nothing had happened. `full`: of its disk, which `what` fills.
    `read_only`: a folder of its home. `may_die`: by a signal, without a word.
    """
    with ExitStack() as machines:
        home = machines.enter_context(machine.disk_of_its_own(folder / "struck")) if full else folder / "struck"
        settings = scene.settings_in(copy_home(scene.home, home))
        moment = Moment(
            operation=0 if at is None else 1 + round(at * (scene.operations - 1)),
            seconds=0 if after is None else max(0.05, after * scene.seconds),
            what=partial(machine.fill, home) if full else what,
        )
        with ExitStack() as for_now:
            if read_only:
                for_now.enter_context(machine.read_only(home / read_only))
            step = start_step(home, scene.source_root, scene.step, scene.argument, moment, begin)
            try:
                ended = step.end(within)
            except TimeoutError as late:
                return str(late), str(late)
        machine.make_room(home)
        wrong = wrong_words(ended, says, may_die) or problem_after_kill(scene, settings)
        again = start_step(home, scene.source_root, scene.step, scene.argument).end()
        wrong = wrong or problem_after_repeat(scene, settings, again)
    shutil.rmtree(folder / "struck")
    return "killed" if ended.was_killed else ended.problem, wrong


def wrong_words(ended: Ended, says: str, may_die: bool = False) -> str | None:
    """What is wrong with how a step that met a fault ended."""
    if ended.was_killed:
        return None if may_die else "it died without a word"
    if not ended.problem:
        return None
    if not says:
        return f"it fails: {ended.problem}"
    if not ended.is_told or "\n" in ended.problem:
        return f"not one sentence for people: {ended.problem}"
    return None if re.search(says, ended.problem) else f"it does not say {says!r}: {ended.problem}"


def leftovers(scene: Scene, folder: Path) -> tuple[str, str | None]:
    """What a killed writer leaves lies beside the files of the step: a real write-ahead log, half a file."""
    settings = scene.settings_in(copy_home(scene.home, folder / "leftovers"))
    log = write_ahead_log(settings, folder)
    names = [settings.warehouse / f"{name}.duckdb.wal" for name in ("warehouse", "candidate", "landing_gate")]
    beside = names[1:2] if scene.step in ("mart_gate", "publish") else []
    if scene.step in MOVING:
        half = ("current.duckdb.wal", ".marts_2026-06-30_x.duckdb.tmp", ".current.json.1.tmp")
        names += [settings.published / name for name in half]
    names.append(settings.landing / ".arriving" / "half" / "rows.parquet")
    for name in names:
        name.parent.mkdir(parents=True, exist_ok=True)
        if name not in beside:
            shutil.copyfile(log, name)
    ended = start_step(settings.home, scene.source_root, scene.step, scene.argument).end()
    wrong = problem_after_repeat(scene, settings, ended)
    if beside and not wrong:  # the audited candidate: refused, not removed
        home = settings.home
        shutil.rmtree(home)
        settings = scene.settings_in(copy_home(scene.home, home))
        shutil.copyfile(log, beside[0])
        ended = start_step(home, scene.source_root, scene.step, scene.argument).end()
        wrong = wrong_words(ended, "lies beside a finished file") if ended.problem else "it was not refused"
        wrong = wrong or problem_after_kill(scene, settings)
    shutil.rmtree(settings.home)
    return ended.problem, wrong


def write_ahead_log(settings: Settings, folder: Path) -> Path:
    """That of a writer who was killed: it changes a figure of the live version."""
    file = folder / "written.duckdb"
    shutil.copyfile(settings.published / versions.live_version(settings)["file"], file)
    code = (
        "import duckdb, os, sys; writer = duckdb.connect(sys.argv[1]);"
        "writer.execute(\"update marts.dim_products set product_name = 'replayed'\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, file], check=True)
    return file.with_name(file.name + ".wal")


def damaged(scene: Scene, folder: Path, by: str) -> tuple[str, str | None]:
    """The live version is no longer what was published: the one before is served, and a plain run makes it whole again."""
    settings = scene.settings_in(copy_home(scene.home, folder / "damaged"))
    live = versions.live_version(settings)
    file = settings.published / live["file"]
    if by == "bit":
        file.chmod(0o644)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        log = shutil.copyfile(write_ahead_log(settings, folder), file.with_name(file.name + ".wal"))
    opened = open_live(settings)
    opened.connection.close()
    wrong = None if opened.problem and opened.version != live else "the damaged version is served"
    if by == "wal":  # it is told to be removed
        ended = start_step(settings.home, scene.source_root, "publish").end()
        wrong = wrong or wrong_words(ended, "remove it and run again")
        log.unlink()
    for step in ("plan", "publish", "evidence"):
        ended = start_step(settings.home, scene.source_root, step).end()
        wrong = wrong or (ended.problem and f"a plain run fails: {ended.problem}")
    if not wrong:
        healed = open_live(settings)
        healed.connection.close()
        same = versions.tables_of_the_bank(healed.version) == versions.tables_of_the_bank(live)
        wrong = healed.problem or (None if same else "the plain run ends in something else")
    shutil.rmtree(settings.home)
    return opened.problem or "", wrong


def outrun(scene: Scene, folder: Path) -> tuple[str, str | None]:
    """A run sleeps before it publishes, a newer one of the same date publishes, the first wakes."""
    settings = scene.settings_in(copy_home(scene.home, folder / "outrun"))
    zombie = start_step(settings.home, scene.source_root, "publish", "", Moment(operation=1, what=machine.stop_group))
    wait_until_stopped(zombie.process.pid)
    pipeline.plan_run(settings, "newer", AFTER_HALF, LAST)
    for step in ("build", "mart_gate"):
        write_json(settings.run_folder("newer") / f"{step}.json", pipeline.read_result(settings, RUN_ID, step))
    pipeline.publish_marts(settings, "newer")
    live = versions.live_version(settings)
    os.killpg(zombie.process.pid, signal.SIGCONT)
    ended = zombie.end()
    wrong = wrong_words(ended, STALE) if ended.problem else "the zombie was let pass"
    wrong = wrong or problem_after_kill(scene, settings)
    wrong = wrong or (None if versions.live_version(settings) == live else "the zombie moved the pointer")
    start_step(settings.home, scene.source_root, "plan").end()
    again = start_step(settings.home, scene.source_root, "publish").end()
    wrong = wrong or problem_after_repeat(scene, settings, again)
    shutil.rmtree(settings.home)
    return ended.problem, wrong


def beside(scene: Scene, folder: Path, at: float) -> tuple[str, str | None]:
    """A step sleeps in its middle, dbt too; the same step of another run comes and is refused; the first wakes and ends well."""
    settings = scene.settings_in(copy_home(scene.home, folder / "beside"))
    moment = Moment(seconds=at * scene.seconds, what=machine.stop_group)
    sleeper = start_step(settings.home, scene.source_root, scene.step, scene.argument, moment)
    wait_until_stopped(sleeper.process.pid)
    other = start_step(settings.home, scene.source_root, scene.step, scene.argument).end()
    wrong = wrong_words(other, "wait until it ends") if other.problem else "two worked at once"
    os.killpg(sleeper.process.pid, signal.SIGCONT)
    wrong = wrong or problem_after_kill(scene, settings)
    wrong = wrong or problem_after_repeat(scene, settings, sleeper.end())
    shutil.rmtree(settings.home)
    return other.problem, wrong


def two_at_once(scene: Scene, folder: Path) -> tuple[str, str | None]:
    """Two schedulers run the same days at the same time: what either cannot do it says, and a third, plain run converges."""
    settings = scene.settings_in(copy_home(scene.home, folder / "two"))
    runs = [start_step(settings.home, scene.source_root, "run", name) for name in ("one", "other")]
    ends = [run.end() for run in runs]
    said = " / ".join(ended.problem or "published" for ended in ends)
    wrong = next(filter(None, (wrong_words(ended, ".") for ended in ends)), None)
    wrong = wrong or problem_after_kill(scene, settings)
    again = start_step(settings.home, scene.source_root, "run", "third").end()
    wrong = wrong or problem_after_repeat(scene, settings, again)
    shutil.rmtree(settings.home)
    return said, wrong


def wait_until_stopped(pid: int) -> None:
    """Until the process sleeps: `T` in its state."""
    while (state := Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]) != "T":
        if state in "ZX":
            raise RuntimeError("the step ended before it was stopped")


def faults() -> Iterator[Fault]:
    """All of them, by step."""
    for step, shares in FULL_AT.items():
        for share in shares:
            yield Fault("disk_full", step, partial(struck, full=True, at=share, says=NO_ROOM))
    for step, read_only in READ_ONLY.items():
        for name in read_only:
            yield Fault("read_only", step, partial(struck, read_only=name, says=NO_RIGHT))
    for step, sizes in MEMORY.items():
        for size in sizes:
            limit = partial(machine.limit_memory, size << 20)
            yield Fault("out_of_memory", step, partial(struck, begin=limit, says=NO_MEMORY, may_die=True))
    little = partial(machine.set_environment, "CRM_WAREHOUSE_MEMORY", "8MB")
    yield Fault("little_memory_for_dbt", "build", partial(struck, begin=little, says=NO_MEMORY))
    killed = partial(struck, after=0.5, what=machine.kill_children, says=NO_MEMORY)
    yield Fault("dbt_killed", "build", killed)
    for step in ("extract", "landing_gate", "build", "mart_gate", "publish", "evidence"):
        middle = {"after": 0.5} if step in WORKING else {"at": 0.5}
        stopped = partial(struck, **middle, what=partial(signal_self, signal.SIGTERM), within=PROMPTLY)
        yield Fault("sigterm", step, partial(stopped, may_die=True))
        yield Fault("sigterm_raised", step, partial(stopped, begin=machine.raise_on_sigterm, says="signal 15"))
    for name, begin in CLOCKS.items():
        for step in ("publish", "run"):
            yield Fault(name, step, partial(struck, begin=begin))
    for step in ("landing_gate", "build", "mart_gate", "publish", "run"):
        yield Fault("leftovers", step, leftovers)
    for by in ("bit", "wal"):
        yield Fault(f"damaged_by_{by}", "rollback", partial(damaged, by=by))
    yield Fault("outrun", "publish", outrun)
    yield Fault("beside", "build", partial(beside, at=0.6))
    yield Fault("two_at_once", "run", two_at_once)
    for package in ("duckdb", "dbt-core"):
        another = partial(machine.install_another, package)
        yield Fault(f"other_{package}", "plan", partial(struck, begin=another, says=f"installed is {package} 9.9.9"))


FULL_AT = {
    "extract": (0.0, 0.5, 0.9),
    "landing_gate": (0.0, 0.5),
    "build": (0.0, 0.5, 0.9),
    "mart_gate": (0.0,),
    "publish": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    "evidence": (0.0, 0.1, 0.5, 1.0),
    "plan": (0.0, 1.0),
}
READ_ONLY = {
    "plan": (".",),
    "extract": ("landing",),
    "landing_gate": ("landing", "warehouse"),
    "build": ("warehouse",),
    "publish": ("published", "evidence", "secrets"),
    "evidence": ("evidence", "report"),
}
MEMORY = {"extract": (16, 200), "landing_gate": (100, 400), "build": (100, 400), "mart_gate": (200,)}  # MB
CLOCKS = {
    "clock_back_an_hour": partial(machine.set_clock, hours=-1),
    "clock_forward_a_day": partial(machine.set_clock, days=1),
    "another_time_zone": partial(machine.set_environment, "TZ", "Asia/Shanghai"),
}
