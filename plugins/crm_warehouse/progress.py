"""Progress of long steps, for whoever watches: a callback in one process, a file of JSON lines across processes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

Progress = Callable[[str, int, int], None]
FILE_VARIABLE = "CRM_WAREHOUSE_PROGRESS"


def silent(item: str, done: int, total: int) -> None:
    """Shows nothing."""


def to_file(step: str) -> Progress:
    """Writes each event of `step` to the file that CRM_WAREHOUSE_PROGRESS names; nothing when it names none."""
    name = os.environ.get(FILE_VARIABLE)
    if not name:
        return silent

    def write(item: str, done: int, total: int) -> None:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "item": item, "done": done, "total": total}) + "\n")

    return write
