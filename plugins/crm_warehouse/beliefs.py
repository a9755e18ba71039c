"""What was believed about tiers before corrections of closed months were received.

Nothing is captured when it is believed: a past belief is what the same SQL makes of the batches received by then, so any
rebuild finds the same ones (rule 18 of models/intermediate/tiers/RULES.md). A belief that was worked out once is kept,
under the hash of all that decides it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from crm_warehouse.landing import (
    Batch,
    accepted_batches,
    batches_on,
    landed_dates,
    write_batch_index,
)
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.decisions import released_at
from crm_warehouse.quality.held_rows import held_back_until, quarantine_days
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings

ALWAYS, NEVER = datetime(1, 1, 1), datetime(9999, 12, 31)
PARTS = {
    "ratings": (
        "int_ratings_believed",
        "belief_number bigint, customer_id varchar, spell_number bigint, month date, policy_version varchar, is_in_force boolean,"
        " is_review boolean, place integer, known_at timestamp",
    ),
    "spells": (
        "int_spells_believed",
        "belief_number bigint, customer_id varchar, spell_number bigint, spell_from date, spell_to date,"
        " opening_reason varchar, closing_reason varchar, opening_known_at timestamp, closing_known_at timestamp",
    ),
}


@dataclass(frozen=True)
class Revision:
    """A batch that may change what was known already, or rows let in from quarantine; when that was (UTC, no zone)."""

    extract: Extract
    received_at: datetime
    of_closed_month: bool  # else it corrects a delivery of the month in progress


def beliefs_folder(settings: Settings) -> Path:
    return settings.warehouse / "beliefs"


def write_no_past(settings: Settings) -> Path:
    """The belief files of a bank that never corrected a closed month: the present belief, and none before."""
    _write(beliefs_folder(settings), [], [])
    return beliefs_folder(settings)


def write_beliefs(
    settings: Settings, profile: Profile, as_of: date, batch_index: Path, compile_models: Callable[[], Path]
) -> Path:
    """Write `beliefs`, `ratings` and `spells` as Parquet for the build to read; the folder they are in.

    `batch_index` is the index that `compile_models` compiles into the models' SQL; it returns dbt's manifest, and is
    called only when a closed month was corrected.
    """
    folder = write_no_past(settings)
    revisions = find_revisions(settings, profile, as_of)
    if not revisions:
        return folder
    manifest = compile_models()
    models = CompiledModels(manifest)
    rated, spells = (
        {extract for extract in profile.extracts if _feeds(models, extract, target)} for target, _ in PARTS.values()
    )
    instants = sorted(
        {r.received_at for r in revisions if r.extract in spells or (r.of_closed_month and r.extract in rated)}
    )
    kept = [
        _replayed(settings, profile, as_of, batch_index, manifest, number, instant)
        for number, instant in enumerate(instants, start=1)
    ]
    for old in set((folder / "kept").glob("*")) - set(kept):
        shutil.rmtree(old)
    _write(folder, instants, kept)
    return folder


def _feeds(models: CompiledModels, extract: Extract, target: str) -> bool:
    place = f"/{extract.source}/{extract.name}/business_date="
    return any(place in model.sql for model in models.order([target], ["int_beliefs"]))


def find_revisions(settings: Settings, profile: Profile, as_of: date) -> list[Revision]:
    """Batches received, and rows let in, after the month of their business date was closed (the last day of it had come in),
    and batches that correct a delivery of a month in progress."""
    first_received: dict[tuple[Extract, date], datetime] = {}
    received: list[tuple[Extract, date, datetime]] = []
    for spec in profile.extracts:
        for day in landed_dates(settings, spec):
            times = [
                _utc(batch.received_at)
                for batch in batches_on(settings, spec, day)
                if batch.is_accepted and day <= as_of
            ]
            received += [(spec, day, time) for time in times]
            if times:
                first_received[spec, day] = min(times)
        received += [
            (spec, day, _utc(moment))
            for day, _, file in quarantine_days(settings, spec)
            if (spec, day) in first_received
            for moment in released_at(file)
        ]
    closed_at: dict[date, datetime] = {}
    for month in {_month(day) for _, day in first_received}:
        if _month(as_of + timedelta(days=1)) > month:
            last_day = max(day for _, day in first_received if _month(day) == month)
            closed_at[month] = max(time for (_, day), time in first_received.items() if day == last_day)
    return [
        Revision(spec, time, time > closed_at.get(_month(day), NEVER))
        for spec, day, time in received
        if time > closed_at.get(_month(day), NEVER) or time > first_received[spec, day]
    ]


def _replayed(
    settings: Settings, profile: Profile, as_of: date, batch_index: Path, manifest: Path, number: int, instant: datetime
) -> Path:
    """The folder with the ratings and spells as believed until `instant`; made unless it is kept already."""
    batches = accepted_batches(settings, profile, as_of, received_before=instant.replace(tzinfo=UTC))
    last = max(batch.business_date for batch in batches)
    held_back = held_back_until(settings, profile, batches, instant.replace(tzinfo=UTC))
    index = write_batch_index(settings, batches, f"landing_batches_until_{instant:%Y%m%dT%H%M%S%f}", held_back)
    models = CompiledModels(
        manifest, {f"'{batch_index}'": f"'{index}'", f"cast('{as_of}' as date)": f"cast('{last}' as date)"}
    )
    targets = [target for target, _ in PARTS.values()]
    ordered = models.order(targets, ["int_beliefs"])
    decided_by = "\n".join(
        [str(number), *(m.sql or m.file.read_text(encoding="utf-8") for m in ordered), _contents(batches, held_back)]
    )
    folder = beliefs_folder(settings) / "kept" / hashlib.sha256(decided_by.encode()).hexdigest()[:32]
    if not folder.is_dir():
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        with models.scratch() as connection:
            connection.execute(
                f"create table {models.relation('int_beliefs')} as select cast({number} as bigint) as belief_number, true as is_present"
            )
            models.run(connection, targets, ["int_beliefs"])
            for part, (target, _) in PARTS.items():
                connection.execute(f"copy (from {models.relation(target)} order by all) to '{making / part}.parquet'")
        making.rename(folder)
    index.unlink()
    return folder


def _write(folder: Path, instants: list[datetime], kept: list[Path]) -> None:
    """The files the build reads. Past beliefs only of customers for whom they differ from the next; the last one of all."""
    folder.mkdir(parents=True, exist_ok=True)
    edges = [ALWAYS, *instants, NEVER]
    beliefs = [(n, *pair) for n, pair in enumerate(zip(edges, edges[1:], strict=False), start=1)]
    with duckdb.connect() as connection:
        connection.execute("create table beliefs (belief_number bigint, known_from timestamp, known_to timestamp)")
        connection.executemany("insert into beliefs values (?, ?, ?)", beliefs)
        for part, (_, columns) in PARTS.items():
            connection.execute(f"create table {part} ({columns})")
            for one in kept:
                connection.execute(f"insert into {part} by name from '{one / part}.parquet'")
        connection.execute(_SAME_AS_NEXT)
        for part in PARTS:
            connection.execute(f"delete from {part} where (belief_number, customer_id) in (from same_as_next)")
        for part in ("beliefs", *PARTS):
            connection.execute(f"copy (from {part} order by all) to '{folder / part}.parquet'")


# What the next belief knew only later is no difference: it had not been received. A month that the revision itself let be
# rated is one: decisions about later days had been known before it.
_SAME_AS_NEXT = """
create table same_as_next as
with pairs as (
    select ratings.*, beliefs.known_to as until from ratings join beliefs using (belief_number)
    where belief_number < (select max(belief_number) - 1 from beliefs)
),
differing as (
    select pairs.belief_number, pairs.customer_id
    from pairs
    left join ratings as next
        on next.belief_number = pairs.belief_number + 1 and next.customer_id = pairs.customer_id
        and next.month = pairs.month and next.policy_version = pairs.policy_version
    where next.place is distinct from pairs.place or next.spell_number is distinct from pairs.spell_number
    union
    select next.belief_number - 1, next.customer_id
    from ratings as next
    join beliefs on beliefs.belief_number = next.belief_number - 1
    left join ratings on ratings.belief_number = next.belief_number - 1 and ratings.customer_id = next.customer_id
        and ratings.month = next.month and ratings.policy_version = next.policy_version
    where next.known_at <= beliefs.known_to and ratings.customer_id is null
    union
    select belief_number, customer_id from (
        select belief_number, customer_id, spell_number, spell_from, spell_to, opening_reason, closing_reason from spells
        except
        select belief_number - 1, customer_id, spell_number, spell_from, spell_to, opening_reason, closing_reason from spells
    )
    union
    select next.belief_number - 1, next.customer_id
    from spells as next
    join beliefs on beliefs.belief_number = next.belief_number - 1
    left join spells on spells.belief_number = next.belief_number - 1 and spells.customer_id = next.customer_id
        and spells.spell_number = next.spell_number
    where next.opening_known_at < beliefs.known_to and spells.customer_id is null
)
select distinct belief_number, customer_id from spells
where belief_number < (select max(belief_number) - 1 from beliefs)
except
select belief_number, customer_id from differing
"""


def _contents(batches: Iterable[Batch], held_back: dict[Path, list[int]]) -> str:
    return "\n".join(
        f"{b.table} {b.business_date} {b.number} {b.manifest['sha256']} {held_back.get(b.folder, '')}" for b in batches
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _month(day: date) -> date:
    return day.replace(day=1)
