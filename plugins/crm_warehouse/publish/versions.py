"""Versions and the one pointer.

published/current.json            the live version, replaced in one step
published/<version>.json          what each kept version holds
published/marts_<date>_<run>_<sha8>.duckdb
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from crm_warehouse.errors import PublishRefused
from crm_warehouse.files import read_json, sync, write_json
from crm_warehouse.publish.candidate import prove_whole
from crm_warehouse.settings import Settings, safe_name

POINTER = "current.json"
KEPT_VERSIONS = 28


def live_version(settings: Settings) -> dict | None:
    """What `current.json` says, or None before the first publish."""
    pointer = settings.published / POINTER
    return read_json(pointer) if pointer.is_file() else None


def kept_versions(settings: Settings) -> list[dict]:
    """Every kept version, the newest first: by number, because clocks go back."""
    return sorted(
        (read_json(path) for path in settings.published.glob("marts_*.json")), key=lambda v: v["sequence"], reverse=True
    )


def publish(settings: Settings, candidate: Path, audited: dict, expected_live: str | None, switch_bank: bool) -> dict:
    """Make an audited candidate the live version and return it.

    `audited`: bank, reporting_currency, business_date, run_id, sha256 and tables, as the mart gate saw them.
    `expected_live`: the version that was live when the run began; another one now means another run was faster, and
    this one is refused (compare and swap). A candidate whose tables equal the live ones moves nothing.
    """
    with _pointer_lock(settings):
        live = live_version(settings)
        if not (live and live["run_id"] == audited["run_id"]):  # a run that is started again follows itself
            _refuse_stale(live, audited, expected_live, switch_bank)
        prove_whole(candidate, audited["sha256"])
        if live and _same_content(live, audited):
            return live
        version = f"marts_{audited['business_date']}_{safe_name(audited['run_id'])}_{audited['sha256'][:8]}"
        file = settings.published / f"{version}.duckdb"
        _place(candidate, file)
        prove_whole(file, audited["sha256"])
        published_at = datetime.now(UTC).isoformat(timespec="seconds")
        sequence = max((kept["sequence"] for kept in kept_versions(settings)), default=0) + 1
        body = {"version": version, "sequence": sequence, "file": file.name, "published_at": published_at, **audited}
        write_json(settings.published / f"{version}.json", body)
        write_json(settings.published / POINTER, body)
        _retain(settings, body)
        return body


def rollback(settings: Settings, version: str | None) -> tuple[dict, dict]:
    """Move the pointer to `version`, or to the bank's version before the live one. Returns (from, to)."""
    with _pointer_lock(settings):
        live = live_version(settings)
        if not live:
            raise PublishRefused("nothing is published yet: there is nothing to roll back")
        kept = kept_versions(settings)
        if version:
            chosen = next((v for v in kept if v["version"] == version), None)
        else:
            older = [v for v in kept if v["bank"] == live["bank"] and v["sequence"] < live["sequence"]]
            chosen = older[0] if older else None
        if not chosen:
            names = ", ".join(v["version"] for v in kept if v["version"] != live["version"]) or "none"
            raise PublishRefused(f"no such version to roll back to; kept versions: {names}")
        prove_whole(settings.published / chosen["file"], chosen["sha256"])
        write_json(settings.published / POINTER, chosen)
        return live, chosen


@contextmanager
def _pointer_lock(settings: Settings) -> Iterator[None]:
    settings.published.mkdir(parents=True, exist_ok=True)
    with (settings.published / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _refuse_stale(live: dict | None, audited: dict, expected_live: str | None, switch_bank: bool) -> None:
    found = live["version"] if live else None
    if found != expected_live:
        raise PublishRefused(
            f"version {found} went live while this run worked (it began from {expected_live}); it stays live, run again"
        )
    if live and live["bank"] != audited["bank"] and not switch_bank:
        raise PublishRefused(
            f"{live['bank']} is live here and this run is of {audited['bank']}: BI would read another bank's figures;"
            " set CRM_WAREHOUSE_HOME to a folder of its own, or allow it with --switch-bank"
        )


def _same_content(live: dict, audited: dict) -> bool:
    """Whether both say the same of the bank; what tells of runs, this one too, always differs and is no reason to publish."""
    if live["tables"].keys() != audited["tables"].keys():
        return False
    same = all(live[name] == audited[name] for name in ("bank", "business_date"))
    return same and tables_of_the_bank(live) == tables_of_the_bank(audited)


def tables_of_the_bank(version: dict) -> dict[str, dict]:
    """The tables of a version that follow from landing, policy and code: all but those that tell of runs."""
    return {name: table for name, table in version["tables"].items() if not table.get("tells_of_runs")}


def _place(candidate: Path, file: Path) -> None:
    """Copy under a name no reader knows, then give it its own: a long-lived reader keeps the file it opened."""
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.unlink(missing_ok=True)  # a crash may have left one that cannot be written
    shutil.copyfile(candidate, temporary)
    temporary.chmod(0o444)
    sync(temporary)
    temporary.rename(file)
    sync(file.parent)


def _retain(settings: Settings, live: dict) -> None:
    """Keep the newest versions of each bank and remove the rest; what a crash left half copied goes too."""
    of_bank = [version for version in kept_versions(settings) if version["bank"] == live["bank"]]
    for version in of_bank[KEPT_VERSIONS:]:
        (settings.published / version["file"]).unlink(missing_ok=True)
        (settings.published / f"{version['version']}.json").unlink(missing_ok=True)
    named = {version["file"] for version in kept_versions(settings)}
    for orphan in set(settings.published.glob("marts_*.duckdb")) - {settings.published / name for name in named}:
        orphan.unlink()  # a crash left it without a description: nobody was ever sent to it
    for leftover in settings.published.glob(".marts_*.tmp"):
        leftover.unlink(missing_ok=True)
