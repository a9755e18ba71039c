"""Which versions are kept: the newest of each bank, those that are pinned, and the one a rollback would go to."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from crm_warehouse.errors import PublishRefused
from crm_warehouse.evidence import log
from crm_warehouse.files import read_json, write_json
from crm_warehouse.privacy.erasure import is_outdated
from crm_warehouse.publish.leases import pointer_lock
from crm_warehouse.settings import Settings

KEPT_VERSIONS = 28
PINS = "pins.json"


def kept_versions(settings: Settings) -> list[dict]:
    """Every kept version, the newest first: by number, because clocks go back."""
    kept = []
    for path in settings.published.glob("marts_*.json"):
        with suppress(FileNotFoundError):  # retention has just removed it
            kept.append(read_json(path))
    return sorted(kept, key=lambda version: version["sequence"], reverse=True)


def pins(settings: Settings) -> dict[str, str]:
    """`{version: reason}` of what retention may not remove."""
    path = settings.published / PINS
    return read_json(path) if path.is_file() else {}


def pin(settings: Settings, version: str, reason: str) -> None:
    """Keep a version until it is unpinned. On record before it counts; raises PublishRefused when it is not kept any more."""
    if not reason.strip():
        raise PublishRefused("a pin needs a reason: say who needs the version and until when")
    with pointer_lock(settings):
        names = [kept["version"] for kept in kept_versions(settings)]
        if version not in names:
            raise PublishRefused(f"no version {version} to pin; kept versions: {', '.join(names) or 'none'}")
        log.append(settings, "version_pinned", {"version": version, "reason": reason})
        write_json(settings.published / PINS, {**pins(settings), version: reason})


def unpin(settings: Settings, version: str, reason: str) -> None:
    """Let retention remove the version again, when the next one is published."""
    with pointer_lock(settings):
        pinned = pins(settings)
        if version not in pinned:
            raise PublishRefused(f"{version} is not pinned; pinned: {', '.join(sorted(pinned)) or 'none'}")
        log.append(settings, "version_unpinned", {"version": version, "reason": reason})
        write_json(settings.published / PINS, {name: why for name, why in pinned.items() if name != version})


def retain(settings: Settings, live: dict, now: datetime) -> None:
    """Remove what need not be kept of the live version's bank, what shows a customer who was erased long enough ago, pinned or
    not, and whatever a crash left half done. With the pointer locked."""
    spared = {live["version"], live.get("previous"), *pins(settings)}
    of_bank = [version for version in kept_versions(settings) if version["bank"] == live["bank"]]
    outdated = [v for v in of_bank if v["version"] != live["version"] and is_outdated(settings, v, now)]
    for version in of_bank:
        too_many = version in of_bank[KEPT_VERSIONS:] and version["version"] not in spared
        if too_many or version in outdated:
            # The description goes last: killed before, the next publish removes the rest.
            (settings.published / version["file"]).unlink(missing_ok=True)
            shutil.rmtree(settings.published / version["version"], ignore_errors=True)
            (settings.published / f"{version['version']}.json").unlink(missing_ok=True)
    named = {version["version"] for version in kept_versions(settings)}
    for path in settings.published.glob("marts_*"):
        # Nobody was ever sent to a file without a description.
        if path.suffix != ".json" and path.name.removesuffix(".duckdb") not in named:
            _remove(path)
    for leftover in [*settings.published.glob(".marts_*.tmp"), *settings.published.glob(".current.*.tmp")]:
        _remove(leftover)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
