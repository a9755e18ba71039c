"""One process at a time where two would harm each other, and none that outlives the one that watches it."""

from __future__ import annotations

import ctypes
import fcntl
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from crm_warehouse.errors import AnotherAtWork, CrmWarehouseError
from crm_warehouse.settings import Settings


@contextmanager
def only_one(lock_file: Path, refusal: CrmWarehouseError) -> Iterator[int]:
    """Hold `lock_file`, or raise `refusal` when another process holds it.

    Yields the file's descriptor: a child process that is given it (`pass_fds`) holds the lock too, as long as it lives.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal from None
        yield file.fileno()


def one_writer(settings: Settings) -> AbstractContextManager[int]:
    """For the steps after the extracts, whose files have one name in every run: what Airflow's pool of one slot is, without it."""
    refusal = f"another run of {settings.bank} is at work here: wait until it ends, or stop it, then run again"
    return only_one(settings.warehouse / ".writer.lock", AnotherAtWork(refusal))


def die_with_parent() -> None:
    """For `preexec_fn`: Linux kills this child when its parent is gone; elsewhere the lock alone keeps the next one away."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
