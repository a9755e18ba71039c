"""Which rows stay out of the accepted ones: those set aside, less what people released, and what refers to them.

A row that refers to a row set aside was set aside with it; it comes back with it, and is discarded with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from crm_warehouse.errors import GateFailed
from crm_warehouse.files import sync
from crm_warehouse.landing import ACCEPTED, ROWS, Batch, accepted_on
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.decisions import (
    DISCARD,
    RELEASE,
    decided,
    decisions_file,
    fingerprints,
    quarantine_file,
    read_marks,
)
from crm_warehouse.settings import Settings

MADE_WITH = b"decisions"  # key in the metadata of accepted.parquet


@dataclass
class Held:
    """Rows of one batch that stay out: each with the rules that hold it; those discarded."""

    batch: Batch
    rules: dict[int, set[str]]
    discarded: set[int]

    def state_of(self, row: int) -> str:
        return "discarded" if row in self.discarded else "waiting" if row in self.rules else "released"


def held_on(settings: Settings, profile: Profile, day: date, before: datetime | None = None) -> dict[str, Held]:
    """By table: the rows of one business date that stay out of the batch accepted, decisions applied.

    With `before`, as it stood just before that moment.
    """
    held: dict[str, Held] = {}
    for spec in profile.extracts:
        batch = accepted_on(settings, spec, day, before)
        marks = read_marks(quarantine_file(settings, spec, day, batch.number)) if batch else []
        if not marks:
            continue
        decisions = decided(quarantine_file(settings, spec, day, batch.number), before)
        held[spec.table] = found = Held(batch, {}, set())
        for rule, row in marks:
            if decisions.get((rule, row)) != RELEASE:
                found.rules.setdefault(row, set()).add(rule)
            if decisions.get((rule, row)) == DISCARD:
                found.discarded.add(row)
    if any(
        decisions_file(quarantine_file(settings, spec, day, held[spec.table].batch.number)).is_file()
        for spec in profile.extracts
        if spec.table in held
    ):
        _let_orphans_follow(settings, profile, day, before, held)
    return held


def _let_orphans_follow(
    settings: Settings, profile: Profile, day: date, before: datetime | None, held: dict[str, Held]
) -> None:
    """Until nothing changes: an orphan whose row is accepted is held no longer, one whose row is discarded is so, too."""
    links = [
        (
            spec,
            f"landing.{spec.table}.{column.name}.reference_found",
            _parents(settings, profile, spec, column, day, before, held),
        )
        for spec in profile.extracts
        for column in spec.columns
        if column.references and spec.table in held
    ]
    changed = True
    while changed:
        changed = False
        for spec, rule, (parent, parent_row_of) in links:
            found, above = held[spec.table], held.get(parent)
            for row in [row for row, rules in found.rules.items() if rule in rules]:
                parent_row = parent_row_of.get(row)
                if parent_row is None:
                    continue  # refers to nothing at all: that is no orphan
                if above is None or parent_row not in above.rules:
                    found.rules[row].discard(rule)
                    if not found.rules[row]:
                        del found.rules[row]
                    changed = True
                elif parent_row in above.discarded and row not in found.discarded:
                    found.discarded.add(row)
                    changed = True


def _parents(
    settings: Settings,
    profile: Profile,
    spec: Extract,
    column,
    day: date,
    before: datetime | None,
    held: dict[str, Held],
) -> tuple[str, dict[int, int]]:
    """The table a column refers to, and for each held row the row there that it means."""
    source, name, key = column.references.split(".")
    parent = next(e for e in profile.extracts if (e.source, e.name) == (source, name))
    batch = accepted_on(settings, parent, day, before)
    if batch is None:
        return parent.table, {}
    child = quarantine_file(settings, spec, day, held[spec.table].batch.number)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            select distinct child._source_row, parent._source_row
            from read_parquet('{child}', hive_partitioning = false) as child
            join read_parquet('{batch.folder / ROWS}', hive_partitioning = false) as parent
                on trim(child."{column.name}") = trim(parent."{key}")
            """
        ).fetchall()
    return parent.table, dict(rows)


def held_back_until(
    settings: Settings, profile: Profile, batches: list[Batch], moment: datetime
) -> dict[Path, list[int]]:
    """By folder of a batch: its rows that people let in only at `moment` or later."""
    found = {}
    for name in fingerprints(settings):
        day = date.fromisoformat(name.removeprefix("decisions on "))
        held = held_on(settings, profile, day, moment).values()
        found |= {one.batch.folder: sorted(one.rules) for one in held if one.rules}
    return {batch.folder: found[batch.folder] for batch in batches if batch.folder in found}


def apply_decisions(settings: Settings, profile: Profile) -> list[Batch]:
    """Make the accepted rows anew of every batch whose decisions are not in them yet; whatever business date it is of."""
    made = []
    for name, fingerprint in fingerprints(settings).items():
        day = date.fromisoformat(name.removeprefix("decisions on "))
        specs = {spec.table: spec for spec in profile.extracts}
        for table, held in held_on(settings, profile, day).items():
            metadata = pq.read_metadata(held.batch.folder / ACCEPTED).metadata or {}
            if metadata.get(MADE_WITH, b"").decode() != fingerprint:
                _make_accepted(specs[table], held, fingerprint)
                made.append(held.batch)
    return made


def _make_accepted(spec: Extract, held: Held, fingerprint: str) -> None:
    from crm_warehouse.quality.landing_gate import _typed

    names = ", ".join(f'"{column.name}"' for column in spec.columns)
    typed = ", ".join(_typed(column) for column in spec.columns)
    temporary = held.batch.folder / f".{ACCEPTED}.tmp"
    with duckdb.connect() as connection:
        connection.execute("create table held (_source_row bigint)")
        if held.rules:
            connection.executemany("insert into held values (?)", [[row] for row in sorted(held.rules)])
        connection.execute(
            f"copy (select _source_row, {names} from (select _source_row, {typed}"
            f" from read_parquet('{held.batch.folder / ROWS}', hive_partitioning = false)) as typed"
            " where _source_row not in (select _source_row from held) order by _source_row)"
            f" to '{temporary}' (format parquet, compression zstd, kv_metadata {{decisions: '{fingerprint}'}})"
        )
    sync(temporary)
    temporary.rename(held.batch.folder / ACCEPTED)
    sync(held.batch.folder)


def counts_of(batch: Batch, *, loaded: int, quarantined: int, discarded: int = 0) -> dict:
    """Rows of one batch. A row that a person discarded counts as rejected."""
    return {
        "table": batch.table,
        "business_date": batch.business_date.isoformat(),
        "batch": batch.number,
        "file": batch.manifest["file"],
        "sha256": batch.sha256,
        "rows_read": batch.manifest["rows_read"],
        "rows_loaded": loaded,
        "rows_quarantined": quarantined,
        "rows_rejected": len(batch.manifest["rows_rejected"]) + discarded,
        "rows_discarded": discarded,
    }


def prove_counts(settings: Settings, profile: Profile, batches: dict[str, list[Batch]]) -> list[dict]:
    """Rows of every accepted batch, each counted in its own file; GateFailed where one has vanished or come twice."""
    days = sorted({batch.business_date for landed in batches.values() for batch in landed})
    held = {day: held_on(settings, profile, day) for day in days}
    counts = []
    for table, landed in batches.items():
        for batch in landed:
            out = held[batch.business_date].get(table) or Held(batch, {}, set())
            discarded = len(out.discarded & set(out.rules))
            loaded = pq.read_metadata(batch.folder / ACCEPTED).num_rows
            count = counts_of(batch, loaded=loaded, quarantined=len(out.rules) - discarded, discarded=discarded)
            counts.append(count)
            if count["rows_read"] != loaded + count["rows_quarantined"] + count["rows_rejected"]:
                raise GateFailed(
                    f"{table} of {batch.business_date}, {count['file']}: {count['rows_read']} rows read, but {loaded}"
                    f" loaded, {count['rows_quarantined']} quarantined and {count['rows_rejected']} rejected; remove"
                    f" {ACCEPTED} and the quarantine of this batch and run again"
                )
    return counts


def quarantine_days(settings: Settings, spec: Extract) -> list[tuple[date, int, Path]]:
    """Business date, batch and file of everything in quarantine of one extract."""
    files = (settings.quarantine / spec.source / spec.name).glob("business_date=*/batch=*.parquet")
    return sorted(
        (
            date.fromisoformat(file.parent.name.removeprefix("business_date=")),
            int(file.stem.removeprefix("batch=")),
            file,
        )
        for file in files
    )
