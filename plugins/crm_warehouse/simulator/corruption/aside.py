"""What was there before: the first original of every file that is damaged, kept until it is put back.

`<root>/.before_corruption/<path>` holds originals; `record.json` there lists the corruptions in force and
the files that were not there before.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.files import read_json, write_atomically, write_json

ASIDE = ".before_corruption"
WITHHELD = ".withheld"


def keep(root: Path, paths: list[Path], what: dict) -> None:
    """Keep the originals of `paths`, where none is kept yet, and put on record what is about to be done to them."""
    record = read_record(root)
    for path in paths:
        place = path.relative_to(root).as_posix()
        kept = root / ASIDE / place
        if kept.exists() or place in record["added"]:
            continue
        if path.exists():
            write_atomically(kept, path.read_bytes())
        else:
            record["added"].append(place)
    record["done"].append(what)
    write_json(root / ASIDE / "record.json", record)


def read_record(root: Path) -> dict:
    path = root / ASIDE / "record.json"
    return read_json(path) if path.is_file() else {"added": [], "done": []}


def original(root: Path, path: Path) -> bytes | None:
    """The kept original of a file; None when it was never damaged."""
    kept = root / ASIDE / path.relative_to(root)
    return kept.read_bytes() if kept.is_file() else None


def restore(root: Path) -> list[str]:
    """Put every original back, byte for byte, and take away what was added. Returns what was done and is undone."""
    record = read_record(root)
    originals = [path for path in sorted((root / ASIDE).rglob("*")) if path.is_file() and path.name != "record.json"]
    if not originals and not record["added"]:
        raise CorruptionRefused(f"nothing below {root} is corrupted: there is nothing to undo")
    for path in originals:
        place = path.relative_to(root / ASIDE)
        if (root / WITHHELD / place).exists():
            raise CorruptionRefused(f"{place} is withheld: `crm-warehouse redeliver --release` it before the undo")
    for path in originals:
        write_atomically(root / path.relative_to(root / ASIDE), path.read_bytes())
    for place in record["added"]:
        (root / place).unlink(missing_ok=True)
    shutil.rmtree(root / ASIDE)
    return [str(what["what"]) for what in record["done"]]
