"""What the machine refuses (room, memory, the right to write) in one sentence, and whether its engines are the locked ones.

Python, DuckDB, Arrow and dbt tell of the same things in their own types; the words of the operating system are in all of them.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from crm_warehouse.errors import CrmWarehouseError, MachineRefused

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
ENGINES = ("duckdb", "dbt-core", "dbt-duckdb", "great-expectations", "pyarrow")
NO_ROOM = "no room is left to write {file}: make room on its disk, then run again"
NO_RIGHT = "{file} cannot be written or read ({words}): let the user who runs this do so, then run again"
NO_MEMORY = (
    "the memory ran out ({words}): give this machine more, end what else needs it, or let the build use less of it"
    " (CRM_WAREHOUSE_MEMORY), then run again"
)
SENTENCES = {
    "failed to offload data block": NO_ROOM,  # DuckDB calls it memory, but what is full is the disk it spills to
    **dict.fromkeys(map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)), NO_ROOM),
    **dict.fromkeys(map(os.strerror, (errno.EROFS, errno.EACCES, errno.EPERM)), NO_RIGHT),
    **dict.fromkeys((os.strerror(errno.ENOMEM), "MemoryError", "Out of Memory", "OutOfMemory", "bad_alloc"), NO_MEMORY),
    **dict.fromkeys(("can't start new thread", "failed to map segment"), NO_MEMORY),
}


def in_one_sentence(told: str, place: Path | str = "the warehouse") -> str | None:
    """What the machine refused, where `told` tells of that; else None. `place`: where the file is, if it is not named."""
    for words, sentence in SENTENCES.items():
        if words in told:
            named = re.search(r"""["'](/[^"'\n]+)["'](?! ->)""", told)
            return sentence.format(file=named[1] if named else f"a file below {place}", words=words)
    return None


@contextmanager
def refusals_told(place: Path | str = "the warehouse") -> Iterator[None]:
    """Raise MachineRefused instead of an error that tells of the machine; every other passes as it is."""
    try:
        yield
    except CrmWarehouseError:
        raise
    except Exception as problem:
        sentence = in_one_sentence(f"{type(problem).__name__}: {problem}", place)
        if not sentence:
            raise
        raise MachineRefused(sentence) from problem


def refuse_other_engines(lock: Path = LOCK) -> None:
    """Raise MachineRefused unless the engines are those of the lock: others make other bytes, or files that readers cannot open."""
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock.read_text("utf-8"), re.MULTILINE))
    found = {name: _installed(name) for name in ENGINES}
    wrong = [f"{name} {found[name]} (locked: {locked[name]})" for name in ENGINES if found[name] != locked[name]]
    if wrong:
        raise MachineRefused(
            f"installed is {', '.join(wrong)}: install what the lock names (`make setup`), then run again"
        )


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"
