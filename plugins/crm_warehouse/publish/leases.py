"""Who may publish: a lock for whoever moves the pointer, and a number for every run that plans (its fencing token).

leases.json    "issued": the last number given; "passed": the highest whose holder published or rolled back

A paused run may wake when the live version is again the one it began from (published, then rolled back) or when a newer
run found nothing to change: comparing versions does not see that, comparing numbers does. Numbers count, so clocks do not matter.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from crm_warehouse.errors import PublishRefused
from crm_warehouse.files import read_json, write_json
from crm_warehouse.settings import Settings

PATIENCE_SECONDS = 300  # the copy of a large version is made with the pointer locked


@dataclass(frozen=True)
class Lease:
    """What a run may publish with: its number, and the version that was live when it planned."""

    token: int
    live: str | None


@contextmanager
def pointer_lock(settings: Settings) -> Iterator[None]:
    """Only one process at a time moves the pointer, takes a number, pins or removes a version.

    Raises PublishRefused when another one does not let go: it hangs, and a person who wants to roll back must hear of it.
    """
    settings.published.mkdir(parents=True, exist_ok=True)
    with (settings.published / ".lock").open("a+") as lock:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock.seek(0)
                    raise PublishRefused(
                        f"process {lock.read().strip()} has been publishing for {PATIENCE_SECONDS} s: wait, or end it if it"
                        " hangs, then run again"
                    ) from None
            time.sleep(0.02)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def issue(settings: Settings, live: dict | None) -> int:
    """The next number, greater than every one before; call it with the pointer locked."""
    numbers = _numbers(settings, live)
    numbers["issued"] += 1
    write_json(settings.home / "leases.json", numbers)
    return numbers["issued"]


def let_pass(settings: Settings, live: dict | None, token: int) -> None:
    """From now on smaller numbers are refused; call it with the pointer locked, before the pointer moves."""
    write_json(settings.home / "leases.json", {**_numbers(settings, live), "passed": token})


def has_passed(settings: Settings, live: dict | None, token: int) -> bool:
    """Whether this very number was the last to pass: a run that is started again after it was killed.

    Raises PublishRefused when a greater one has passed.
    """
    passed = _numbers(settings, live)["passed"]
    if token < passed:
        raise PublishRefused(
            f"a newer run published or rolled back while this run worked (its number is {token}, {passed} has passed);"
            " what is live stays live, run again"
        )
    return token == passed


def _numbers(settings: Settings, live: dict | None) -> dict[str, int]:
    """As kept; the pointer knows the number of its own version, should the file be lost."""
    path = settings.home / "leases.json"
    kept = read_json(path) if path.is_file() else {"issued": 0, "passed": 0}
    known = (live or {}).get("fencing_token", 0)
    return {name: max(number, known) for name, number in kept.items()}
