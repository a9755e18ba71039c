"""Versions and the one pointer.

published/current.json            the live version, replaced in one step: it decides
published/current.duckdb          a link to the live version's file, for tools that want one path; follows the pointer at once
published/<version>.json          what each kept version holds
published/marts_<date>_<run>_<sha8>.duckdb
published/marts_<date>_<run>_<sha8>/<mart>.parquet
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from crm_warehouse.errors import PublishRefused
from crm_warehouse.files import read_json, sync, write_json
from crm_warehouse.publish import leases
from crm_warehouse.publish.candidate import prove_whole
from crm_warehouse.publish.kept import kept_versions, retain
from crm_warehouse.publish.leases import Lease, pointer_lock
from crm_warehouse.publish.parquet import prove_set, write_parquet_set
from crm_warehouse.settings import Settings, safe_name

POINTER = "current.json"
LINK = "current.duckdb"


def live_version(settings: Settings) -> dict | None:
    """What `current.json` says, or None before the first publish."""
    pointer = settings.published / POINTER
    return read_json(pointer) if pointer.is_file() else None


def take_lease(settings: Settings) -> Lease:
    """The next number, and what is live now: what a run plans with."""
    with pointer_lock(settings):
        live = live_version(settings)
        return Lease(leases.issue(settings, live), live["version"] if live else None)


def publish(settings: Settings, candidate: Path, audited: dict, lease: Lease, switch_bank: bool) -> dict:
    """Make an audited candidate the live version, its Parquet set with it, and return it.

    `audited`: bank, reporting_currency, business_date, run_id, sha256 and tables, as the mart gate saw them.
    `lease`: as it was taken when the run planned. Another version that is live since (compare and swap), or a newer lease
    that has passed (fencing), refuses this one. A candidate whose tables equal the live ones moves nothing, if those are whole.
    """
    live = live_version(settings)
    _refuse_stale(settings, live, audited, lease, switch_bank)
    prove_whole(candidate, audited["sha256"])
    # Before the lock: it takes a while, and nobody shall wait for it to roll back.
    parquet = settings.warehouse / f"parquet_{lease.token}"
    try:
        stays = _may_stay(settings, live, audited)
        files = {} if stays else write_parquet_set(candidate, parquet)
        with pointer_lock(settings):
            before, live = live, live_version(settings)
            _refuse_stale(settings, live, audited, lease, switch_bank)
            leases.let_pass(settings, live, lease.token)
            _clear_parquet(settings, lease)
            if stays if live == before else _may_stay(settings, live, audited):
                _point_link(settings, live)
                retain(settings, live, datetime.now(UTC))
                return live
            return _move(settings, candidate, parquet, files, live, audited, lease)
    except (duckdb.IOException, OSError):
        _refuse_stale(settings, live_version(settings), audited, lease, switch_bank)  # a newer run has cleared it away
        raise
    finally:
        shutil.rmtree(parquet, ignore_errors=True)


def rollback(settings: Settings, version: str | None) -> tuple[dict, dict]:
    """Move the pointer to `version`, or to the bank's version that was live before. Returns (from, to).

    A run that planned before it is refused: somebody decided that what is live then is right.
    """
    with pointer_lock(settings):
        live = live_version(settings)
        if not live:
            raise PublishRefused("nothing is published yet: there is nothing to roll back")
        kept = kept_versions(settings)
        named = next((v for v in kept if v["version"] == version), None)
        chosen = named if version else version_before(live, kept)
        if not chosen:
            names = ", ".join(v["version"] for v in kept if v["version"] != live["version"]) or "none"
            raise PublishRefused(f"no such version to roll back to; kept versions: {names}")
        prove_version(settings, chosen)
        token = leases.issue(settings, live)
        leases.let_pass(settings, live, token)
        chosen = {**chosen, "fencing_token": token}
        write_json(settings.published / POINTER, chosen)
        _point_link(settings, chosen)
        return live, chosen


def version_before(version: dict, kept: list[dict]) -> dict | None:
    """The version of the same bank that was live when this one was published, else the one numbered before it."""
    of_bank = [v for v in kept if v["bank"] == version["bank"]]
    for before in of_bank:
        if before["version"] == version.get("previous"):  # not said by versions of before 2026-12
            return before
    return next((v for v in of_bank if v["sequence"] < version["sequence"]), None)


def prove_version(settings: Settings, version: dict) -> None:
    """Raise PublishRefused unless every file of the version has the bytes that were published."""
    prove_whole(settings.published / version["file"], version["sha256"])
    if "parquet" in version:  # versions of before 2026-12 have none
        prove_set(settings.published / version["version"], version["parquet"])


def link_is_right(settings: Settings, live: dict) -> bool:
    """Whether `current.duckdb` leads to the live version's file: a crash in between leaves it one version behind."""
    link = settings.published / LINK
    return link.is_symlink() and link.readlink() == Path(live["file"])


def _refuse_stale(settings: Settings, live: dict | None, audited: dict, lease: Lease, switch_bank: bool) -> None:
    if leases.has_passed(settings, live, lease.token):
        return  # a run that is started again follows itself
    found = live["version"] if live else None
    if found != lease.live:
        raise PublishRefused(
            f"version {found} went live while this run worked (it began from {lease.live}); it stays live, run again"
        )
    if live and live["bank"] != audited["bank"] and not switch_bank:
        raise PublishRefused(
            f"{live['bank']} is live here and this run is of {audited['bank']}: BI would read another bank's figures;"
            " set CRM_WAREHOUSE_HOME to a folder of its own, or allow it with --switch-bank"
        )


def _move(
    settings: Settings, candidate: Path, parquet: Path, files: dict, live: dict | None, audited: dict, lease: Lease
) -> dict:
    version = f"marts_{audited['business_date']}_{safe_name(audited['run_id'])}_{audited['sha256'][:8]}"
    file = settings.published / f"{version}.duckdb"
    _place(candidate, file)
    prove_whole(file, audited["sha256"])
    _place_set(parquet, settings.published / version)
    body = {
        "version": version,
        "sequence": max((kept["sequence"] for kept in kept_versions(settings)), default=0) + 1,
        "fencing_token": lease.token,
        "previous": _previous(live, version),
        "file": file.name,
        "parquet": files,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **audited,
    }
    write_json(settings.published / f"{version}.json", body)
    write_json(settings.published / POINTER, body)
    _point_link(settings, body)
    retain(settings, body, datetime.now(UTC))
    return body


def _previous(live: dict | None, version: str) -> str | None:
    """What is live, unless that is this version, damaged, under the same name."""
    return live and (live["version"] if live["version"] != version else live["previous"])


def _clear_parquet(settings: Settings, lease: Lease) -> None:
    """Sets of runs that were killed, or are refused from now on."""
    for folder in settings.warehouse.glob("parquet_*"):
        if int(folder.name.removeprefix("parquet_")) < lease.token:
            shutil.rmtree(folder, ignore_errors=True)


def _may_stay(settings: Settings, live: dict | None, audited: dict) -> bool:
    """Whether what is live says the same and is whole: a damaged file is mended by the next run, not kept for its figures."""
    if not _same_content(live, audited):
        return False
    try:
        prove_version(settings, live)
    except PublishRefused:
        return False
    return True


def _same_content(live: dict | None, audited: dict) -> bool:
    """Whether both say the same of the bank; what tells of runs, this one too, always differs and is no reason to publish."""
    if live is None or live["tables"].keys() != audited["tables"].keys():
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


def _place_set(written: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was killed before it was described
    shutil.move(written, folder)
    sync(folder)
    sync(folder.parent)


def _point_link(settings: Settings, live: dict) -> None:
    """Let the stable name lead to the live file, in one step. Whoever holds the old file open keeps reading it."""
    link = settings.published / LINK
    # A write-ahead log beside the link is of somebody who opened it to write: DuckDB would replay it into every reader.
    link.with_name(LINK + ".wal").unlink(missing_ok=True)
    if link_is_right(settings, live):
        return
    temporary = link.with_name(f".{LINK}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(live["file"])
    temporary.replace(link)
    sync(link.parent)
