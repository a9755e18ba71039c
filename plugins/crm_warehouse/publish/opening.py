"""Opening what is published: proven whole first, read-only, and locked against reading or writing anything else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from crm_warehouse.errors import PublishRefused
from crm_warehouse.publish.candidate import prove_whole
from crm_warehouse.publish.kept import kept_versions
from crm_warehouse.publish.versions import live_version, version_before
from crm_warehouse.settings import Settings

LOCKED = {"enable_external_access": "false", "lock_configuration": "true"}


@dataclass(frozen=True)
class Opened:
    """A connection to `version`. Where the live one is damaged: `problem` says how, and `version` is an earlier one."""

    connection: duckdb.DuckDBPyConnection
    version: dict
    problem: str | None = None


def open_live(settings: Settings) -> Opened:
    """Open the live version, or else the one before it whose bytes are whole; the problem is logged and returned.

    Raises PublishRefused when nothing is published or nothing is whole.
    """
    live = live_version(settings)
    if not live:
        raise PublishRefused("nothing is published yet: run `make demo` or `crm-warehouse run` first")
    problems = []
    for version in _candidates(settings, live):
        file = settings.published / version["file"]
        try:
            prove_whole(file, version["sha256"])
            connection = open_locked(file)
        except (PublishRefused, duckdb.IOException) as refused:
            if live_version(settings) != live:
                return open_live(settings)  # it was not damaged: newer ones pushed it out meanwhile
            problems.append(str(refused))
            continue
        if not problems:
            return Opened(connection, version)
        problem = f"{problems[0]}; version {version['version']} of {version['business_date']} is served instead"
        logging.getLogger("crm_warehouse").error(problem)
        return Opened(connection, version, problem)
    raise PublishRefused(f"no published version is whole: {problems[0]}")


def _candidates(settings: Settings, live: dict) -> Iterator[dict]:
    """The live version; then, as long as none is taken, each time the one that a rollback would go to."""
    seen, version = set(), live
    while version and version["version"] not in seen:
        yield version
        seen.add(version["version"])
        version = version_before(version, kept_versions(settings))


def open_locked(file: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection that can reach no other file, no network, and cannot be told otherwise."""
    return duckdb.connect(str(file), read_only=True, config=LOCKED)
