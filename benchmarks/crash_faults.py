"""What happens to the machine under a step, for real: its disk fills, its memory ends, its clock is set.

A full disk is a tmpfs of its own that shrinks to what is on it, a read-only one a bind mount. Both need the right to mount:
root has it, and whoever starts the campaign with `unshare --user --map-root-user --mount`. Without it the same words come from
a limit on file sizes (RLIMIT_FSIZE), and from folders without the right to write, which bind everybody but root.
"""

from __future__ import annotations

import datetime
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

ROOM = 1 << 30  # bytes a step may need; a tmpfs takes memory for what is on it alone


@cache
def can_mount() -> bool:
    with TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


@contextmanager
def disk_of_its_own(folder: Path) -> Iterator[Path]:
    """An empty folder, on a disk of its own where one can be had."""
    folder.mkdir(parents=True)
    if can_mount():
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        if can_mount():
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> None:
    """From now on there is no room left on the disk of `folder`, nor for the rest of this process and what it starts."""
    if os.path.ismount(folder):
        disk = os.statvfs(folder)
        used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        subprocess.run(["mount", "-o", f"remount,size={used}", folder], check=True)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def make_room(folder: Path) -> None:
    """As a person does who was told that the disk is full."""
    if os.path.ismount(folder):
        subprocess.run(["mount", "-o", f"remount,size={ROOM}", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody can write below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    if can_mount():
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    elif os.geteuid():
        folders = [path for path in [folder, *folder.rglob("*")] if path.is_dir()]
        for path in folders:
            path.chmod(0o555)
        try:
            yield
        finally:
            for path in folders:
                path.chmod(0o755)
    else:
        raise PermissionError("root may write everywhere and may not mount here: run this as another user")


def limit_memory(more: int) -> None:
    """This process, and each that it starts, may have `more` bytes of addresses beyond what this one has."""
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + more, resource.RLIM_INFINITY))


def set_environment(name: str, value: str) -> None:
    os.environ[name] = value
    time.tzset()


def set_clock(**by: float) -> None:
    """For this project's code the wall clock is off by so much (hours=-1, days=1); dbt never asks for the time."""

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return cls.__base__.now(tz) + datetime.timedelta(**by)

    true = datetime.datetime
    for module in [module for name, module in sys.modules.items() if name.startswith("crm_warehouse")]:
        if getattr(module, "datetime", None) is true:
            module.datetime = Shifted


def install_another(package: str) -> None:
    """As if somebody had upgraded it."""
    from crm_warehouse import machine

    true = machine.version
    machine.version = lambda name: "9.9.9" if name == package else true(name)


def raise_on_sigterm() -> None:
    """As Airflow's task runner does; else SIGTERM just ends a process."""

    def stop(number: int, frame: object) -> None:
        raise SystemExit(f"signal {number}")

    signal.signal(signal.SIGTERM, stop)


def kill_children() -> None:
    """As the kernel does when memory ends: it takes the biggest process, here dbt."""
    for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)


def stop_group() -> None:
    """Everything of this step sleeps until it is woken."""
    os.killpg(0, signal.SIGSTOP)
