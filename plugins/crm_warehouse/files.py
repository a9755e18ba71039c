"""Writing so that a crash at any moment leaves the old file or the new one, never half of one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def sync(path: Path) -> None:
    """Force a file or folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(paths: list[Path]) -> None:
    """Force several to disk at once: the disk then writes them together, which costs little more than one of them."""
    with ThreadPoolExecutor(len(paths)) as threads:
        list(threads.map(sync, paths))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as problem:
        problem.filename = str(path)  # writing itself does not say where
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def json_text(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def write_json(path: Path, body: Any) -> None:
    write_atomically(path, json_text(body).encode("utf-8"))


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def changing_list(path: Path) -> Iterator[list[dict]]:
    """The entries of a JSON file, to be changed by one process at a time; written when nothing was refused. Empty where it is not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entries = read_json(path) if path.is_file() else []
        yield entries
        write_json(path, entries)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
