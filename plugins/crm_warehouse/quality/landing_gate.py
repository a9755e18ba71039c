"""The landing gate: reads landed batches as typed tables, judges them, sets bad rows aside, accepts the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from crm_warehouse.errors import ExtractError, GateFailed
from crm_warehouse.files import sync
from crm_warehouse.landing import ACCEPTED, ROWS, Batch, current_batches
from crm_warehouse.profile import Column, Extract, Profile
from crm_warehouse.progress import Progress
from crm_warehouse.quality import decisions, held_rows, learned, past, statistics
from crm_warehouse.quality.duckdb_engine import connect
from crm_warehouse.quality.gate import GateResult, run_gate
from crm_warehouse.quality.rule import Rule
from crm_warehouse.quality.too_many import too_many_set_aside
from crm_warehouse.quality.waivers import apply_waivers
from crm_warehouse.settings import Settings

DEFAULT_FORMATS = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%dT%H:%M:%SZ"}
# What a text must look like to be read as a number without rounding, by type: whole digits, decimal places.
NUMBERS = {"decimal": (16, 2), "fraction": (9, 9), "quantity": (12, 6)}
MOST_NAMED = 50  # of what a failed rule found


@dataclass(frozen=True)
class LandingVerdict:
    """The gate's result and the rows of each batch: read = loaded + quarantined + rejected.

    `facts` are the bank's known numbers, expected and found.
    `listed` names, for failed rules whose profile asks for it, what to look at (accounts and dates, never persons).
    `too_many` says which file has more bad rows than may be set aside; then nothing is accepted.
    `learned` sums up the comparisons with earlier deliveries, and shows those that failed or came near.
    """

    gate: GateResult
    batches: list[dict]
    facts: list[dict]
    listed: dict[str, list[list]]
    too_many: str | None
    learned: dict

    def to_json(self) -> dict:
        shown = {"batches": self.batches, "facts": self.facts, "listed": self.listed, "learned": self.learned}
        return {**self.gate.to_json(), **shown}

    def require_open(self) -> None:
        """Raise GateFailed with one sentence when the data may not pass."""
        self.gate.require_open()
        if self.too_many:
            raise GateFailed(self.too_many)


def run_landing_gate(
    settings: Settings, profile: Profile, dates: list[date], database: Path, progress: Progress
) -> LandingVerdict:
    """Judge the batches in force of `dates`; when nothing blocks, write each batch's accepted rows.

    Raises ExtractError when an expected batch has not landed. Accepting twice gives the same files.
    """
    from expectations.landing import build_rules

    batches = {spec.table: current_batches(settings, spec, dates) for spec in profile.extracts}
    for spec in profile.extracts:
        missing = sorted(set(dates) - {batch.business_date for batch in batches[spec.table]})
        if missing:
            raise ExtractError(f"{spec.table} for {missing[0]} has not landed; run the extract of {spec.source} again")
    verdict = judge_batches(settings, profile, batches, build_rules(profile), database, progress)
    verdict = replace(verdict, gate=apply_waivers(settings, verdict.gate, dates, datetime.now(UTC).date()))
    if not verdict.gate.is_open or verdict.too_many:
        return verdict
    _accept(settings, database, profile, batches, progress)
    held_rows.apply_decisions(settings, profile)
    return replace(verdict, batches=held_rows.prove_counts(settings, profile, batches))


def judge_batches(
    settings: Settings,
    profile: Profile,
    batches: dict[str, list[Batch]],
    rules: list[Rule],
    database: Path,
    progress: Progress,
) -> LandingVerdict:
    """Judge landed batches of the profile's extracts by `rules`; nothing is accepted, and landing is only read."""
    _load_tables(database, profile, batches)
    with connect(database) as connection:
        past.load(connection, settings, profile, batches, _typed)
    gate = run_gate("landing", database, "main", rules, progress)
    _set_aside(database, [rule for rule in rules if rule.severity == "quarantine"], gate)
    decisions.lift_released(settings, profile, database, batches)
    _set_aside_orphans(database, profile)
    counts = _count_rows(database, batches)
    last = max(batch.business_date for landed in batches.values() for batch in landed)
    too_many = too_many_set_aside(database, profile, counts, last, gate)
    facts, listed = _look_up(database, profile, gate)
    listed |= _name(database, rules, gate)
    return LandingVerdict(gate, counts, facts, listed, too_many, learned.summarise(database))


def _load_tables(database: Path, profile: Profile, batches: dict[str, list[Batch]]) -> None:
    database.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (database, database.with_name(f"{database.name}.wal")):  # a killed gate's log would be replayed
        leftover.unlink(missing_ok=True)
    with connect(database) as connection:
        for spec in profile.extracts:
            columns = ",\n".join(_typed(column) for column in spec.columns)
            connection.execute(
                f"create table {spec.table} as select business_date, batch, _source_row, {columns}"
                " from read_parquet(?, hive_partitioning = true, hive_types = {'business_date': date, 'batch': bigint})",
                [[str(batch.folder / ROWS) for batch in batches[spec.table]]],
            )
        connection.execute(
            "create table _quarantined (source_table text, business_date date, batch bigint, _source_row bigint, rule_id text)"
        )


def _typed(column: Column) -> str:
    """The column read as its declared type, null where that would lose something, and its text beside it."""
    text = f"""nullif(trim("{column.name}"), '')"""
    if column.type == "text":
        value = text
    elif column.type in DEFAULT_FORMATS:
        pattern = column.format or DEFAULT_FORMATS[column.type]
        moment = f"try_strptime({text}, '{pattern}')"
        # Written back it must be the same text: a parser takes 80-02-25 for a year of four digits.
        value = f"case when strftime({moment}, '{pattern}') = {text} then cast({moment} as {column.type}) end"
    elif column.type == "integer":
        value = f"case when regexp_full_match({text}, '-?[0-9]{{1,18}}') then cast({text} as bigint) end"
    elif column.type == "boolean":
        value = f"case {text} when 'true' then true when 'false' then false end"
    else:
        whole, places = NUMBERS[column.type]
        pattern = f"-?[0-9]{{1,{whole}}}([.][0-9]{{1,{places}}}0*)?"
        precision = 38 if column.type == "quantity" else 18
        value = (
            f"case when regexp_full_match({text}, '{pattern}') then cast({text} as decimal({precision}, {places})) end"
        )
    typed = f'{value} as "{column.name}", {text} as "{column.name}__text"'
    if column.key or (column.type == "text" and (column.references or column.values)):
        # Blanks around a key or code are gone from both: a rule can still say that they were there.
        typed += f', coalesce(length("{column.name}") <> length({text}), false) as "{column.name}__padded"'
    return typed


def _set_aside(database: Path, rules: list[Rule], gate: GateResult) -> None:
    failed = {result.rule["id"] for result in gate.failures("quarantine")}
    with connect(database) as connection:
        for rule in rules:
            if rule.id in failed:
                connection.execute(
                    f"insert into _quarantined select '{rule.table}', business_date, batch, _source_row, ?"
                    f" from {rule.table} as checked where {rule.bad_rows}",
                    [rule.id],
                )


def _set_aside_orphans(database: Path, profile: Profile) -> None:
    """A row that refers to a row set aside goes with it, and so on: what is accepted belongs to somebody accepted."""
    references = [
        (spec, column, *column.references.split("."))
        for spec in profile.extracts
        for column in spec.columns
        if column.references
    ]
    with connect(database) as connection:
        found = -1
        while found != (found := connection.execute("select count(*) from _quarantined").fetchone()[0]):
            for spec, column, source, name, parent_column in references:
                parent = f"{source}__{name}"
                connection.execute(
                    f"""
                    insert into _quarantined
                    select '{spec.table}', child.business_date, child.batch, child._source_row, ?
                    from {spec.table} as child
                    join {parent} as parent
                        on child."{column.name}" = parent."{parent_column}" and child.business_date = parent.business_date
                    join (select distinct * exclude (rule_id) from _quarantined where source_table = '{parent}') as gone
                        on parent.business_date = gone.business_date and parent.batch = gone.batch
                        and parent._source_row = gone._source_row
                    where (child.business_date, child.batch, child._source_row) not in
                        (select (business_date, batch, _source_row) from _quarantined where source_table = '{spec.table}')
                    """,
                    [f"landing.{spec.table}.{column.name}.reference_found"],
                )


def _look_up(database: Path, profile: Profile, gate: GateResult) -> tuple[list[dict], dict[str, list[list]]]:
    """The bank's known facts as found, and the rows it wants named when a rule fails."""
    from expectations.landing.bank_checks import read_checks

    failed = {result.rule["id"] for result in gate.failures()}
    facts, listed = [], {}
    with connect(database, read_only=True) as connection:
        for check in read_checks(profile):
            rule_id = f"landing.{check['table']}.{check['id']}"
            if check.get("measure"):
                found = connection.execute(check["measure"]).fetchone()[0]
                facts.append({name: check[name] for name in ("name_en", "name_zh", "expected")} | {"found": found})
            elif rule_id in failed and "list" in check:
                rows = connection.execute(check["list"].format(bad_rows=check["bad_rows"])).fetchall()
                listed[rule_id] = [[str(value) for value in row] for row in rows]
    return facts, listed


def _name(database: Path, rules: list[Rule], gate: GateResult) -> dict[str, list[list]]:
    """What the failed rules that can name something found, the first of it."""
    failed = {result.rule["id"] for result in gate.failures()}
    with connect(database, read_only=True) as connection:
        return {
            rule.id: [[str(value) for value in row] for row in connection.execute(rule.listing).fetchmany(MOST_NAMED)]
            for rule in rules
            if rule.id in failed and rule.listing
        }


def _count_rows(database: Path, batches: dict[str, list[Batch]]) -> list[dict]:
    with connect(database, read_only=True) as connection:
        query = (
            "select source_table, business_date, batch, count(distinct _source_row) as rows"
            " from _quarantined group by all"
        )
        set_aside = {(table, day, number): rows for table, day, number, rows in connection.execute(query).fetchall()}
    counts = []
    for table, landed in batches.items():
        for batch in landed:
            quarantined = set_aside.get((table, batch.business_date, batch.number), 0)
            loaded = batch.manifest["rows_read"] - len(batch.manifest["rows_rejected"]) - quarantined
            counts.append(held_rows.counts_of(batch, loaded=loaded, quarantined=quarantined))
    return counts


def _accept(
    settings: Settings, database: Path, profile: Profile, batches: dict[str, list[Batch]], progress: Progress
) -> None:
    landed = [(spec, batch) for spec in profile.extracts for batch in batches[spec.table]]
    todo = [(spec, batch) for spec, batch in landed if not batch.is_accepted]
    with connect(database, read_only=True) as connection:
        for spec, batch in landed:
            if past.looks_back(spec) and not (batch.folder / statistics.STATISTICS).is_file():
                statistics.write(connection, spec.table, _of_batch(batch), batch.folder)
        for done, (spec, batch) in enumerate(todo):
            progress("accepting batches", done, len(todo))
            _keep_quarantined(settings, connection, spec, batch)  # first: an accepted batch is never looked at again
            _accept_batch(connection, spec, batch)
    if todo:
        progress("accepting batches", len(todo), len(todo))


def _accept_batch(connection: duckdb.DuckDBPyConnection, spec: Extract, batch: Batch) -> None:
    columns = ", ".join(f'"{column.name}"' for column in spec.columns)
    temporary = batch.folder / f".{ACCEPTED}.tmp"
    connection.execute(
        f"copy (select _source_row, {columns} from {spec.table} as landed where {_of_batch(batch)} and _source_row not in"
        f" (select _source_row from _quarantined where source_table = '{spec.table}' and {_of_batch(batch)})"
        f" order by _source_row) to '{temporary}' (format parquet, compression zstd)"
    )
    sync(temporary)
    temporary.rename(batch.folder / ACCEPTED)
    sync(batch.folder)


def _keep_quarantined(settings: Settings, connection: duckdb.DuckDBPyConnection, spec: Extract, batch: Batch) -> None:
    query = f"from _quarantined where source_table = '{spec.table}' and {_of_batch(batch)}"
    if not connection.execute(f"select count(*) {query}").fetchone()[0]:
        return
    file = decisions.quarantine_file(settings, spec, batch.business_date, batch.number)
    if decisions.decisions_file(file).is_file():
        return  # what was decided on stays as it was shown
    file.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"copy (select rule_id, landed.* from (select rule_id, _source_row {query}) as bad"
        f" join read_parquet('{batch.folder / ROWS}', hive_partitioning = false) as landed using (_source_row)"
        f" order by _source_row, rule_id) to '{file}' (format parquet)"
    )


def _of_batch(batch: Batch) -> str:
    return f"business_date = date '{batch.business_date}' and batch = {batch.number}"
