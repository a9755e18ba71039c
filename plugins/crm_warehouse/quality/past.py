"""What the landing gate knows of the time before: the delivery before each, its statistics, and the policy of each date.

Tables for the rules, besides one per extract:

- `_deliveries`: each batch that is judged, the business date of the delivery before it, what its sender says of it;
- `_thresholds`: the policy in force on each date that is judged (`banks/<bank>/policy/landing_thresholds.csv`);
- `past.<table>`: rows as sent by the accepted deliveries before, and by those judged now; a rule joins those of
  `_deliveries.previous_date`. A view on landing: a rule reads the columns it needs, of the deliveries it needs;
- `_statistics`, `_learned`: see `statistics` and `learned`.

Nothing here depends on which dates are judged together: a date is compared with the deliveries before it, whether those
are judged in the same run or were accepted before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import duckdb

from crm_warehouse.errors import SettingsError
from crm_warehouse.extract.delivery import cut_off_of
from crm_warehouse.landing import ACCEPTED, ROWS, Batch, accepted_before, batches_of_day, sequence_gaps
from crm_warehouse.policy import thresholds_on
from crm_warehouse.profile import Column, Extract, Profile
from crm_warehouse.quality import learned, statistics
from crm_warehouse.quality.day_types import day_type
from crm_warehouse.settings import Settings

WINDOW = "comes_once_deliveries"  # threshold: how many deliveries back the same event or content is looked for
# Policy that rules over several deliveries and over money compare with.
COMPARED = (
    "changed_values_max_share",
    "changed_values_min_rows",
    "ledger_tolerance_amount",
    "roll_forward_tolerance_amount",
    "vanished_keys_max_share",
    "variety_lost_rows_min",
)
LOOK_BACK = 260  # deliveries of an extract that are looked at by name: a year of business days
# Of what changes, so few rows may be those of yesterday but for their dates: who was contacted then answers today.
ALIKE_BY_CHANCE = 5
LEARNS, LOOKS_BACK = "as_learned", {"comes_once", "reverses"}  # principles that need more than the delivery before


def load(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    profile: Profile,
    batches: dict[str, list[Batch]],
    typed: Callable[[Column], str],
) -> None:
    """Fill the tables above for the batches that are judged."""
    _create_tables(connection)
    looking_back = [spec for spec in profile.extracts if looks_back(spec)]
    if not looking_back:
        return
    days = sorted({batch.business_date for landed in batches.values() for batch in landed})
    policy = {day: thresholds_on(profile.folder, day) for day in days}
    for day, values in policy.items():
        if missing := sorted({WINDOW, *COMPARED, *learned.THRESHOLDS} - set(values)):
            raise SettingsError(
                f"{profile.folder}/policy/landing_thresholds.csv has no {missing[0]} in force on {day}:"
                " a bank whose extracts `expect` something of what came before needs it"
            )
        columns = [list(values), day, [str(value) for value in values.values()]]
        connection.execute("insert into _thresholds select unnest(?), ?, cast(unnest(?) as decimal(18, 6))", columns)
    for spec in looking_back:
        _load_extract(connection, settings, profile, spec, batches[spec.table], policy, typed)
    if any(LEARNS in spec.expect for spec in profile.extracts):
        learned.learn(connection, policy)


def looks_back(spec: Extract) -> bool:
    """Whether anything is expected of an extract that needs what came before."""
    from expectations.landing import LOOKING_BACK

    return not LOOKING_BACK.keys().isdisjoint(spec.expect)


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        create schema past;
        create table _thresholds (threshold_id text, business_date date, value decimal(18, 6));
        create table _totals (source_table text, business_date date, batch bigint, column_name text, total decimal(38, 6));
        create table _deliveries (
            source_table text, business_date date, batch bigint, previous_date date, window_from date, rows_read bigint, sent_at timestamp,
            day_ended_at timestamp, cut_off_at timestamp, skips_sequence boolean, beside bigint, same_as_batch bigint, same_as_date date
        )
        """
    )
    statistics.create_table(connection)
    learned.create_tables(connection)


def _load_extract(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    profile: Profile,
    spec: Extract,
    landed: list[Batch],
    policy: dict[date, dict[str, Decimal]],
    typed: Callable[[Column], str],
) -> None:
    days = [batch.business_date for batch in landed]
    before = accepted_before(settings, spec, set(days), LOOK_BACK)
    for batch in landed:
        _describe(connection, profile, spec, batch, [*before, *landed], int(policy[batch.business_date][WINDOW]))
    window = max(int(values[WINDOW]) for values in policy.values())
    back = window if LOOKS_BACK & spec.expect.keys() else 1
    _make_past(connection, spec, before[:back], typed)
    _load_statistics(connection, profile, spec, landed, before, policy, window)
    _find_repeats(connection, spec, landed)


def _describe(connection, profile: Profile, spec: Extract, batch: Batch, others: list[Batch], window: int) -> None:
    earlier = [other.business_date for other in others if other.business_date < batch.business_date]
    midnight = datetime.combine(batch.business_date + timedelta(days=1), time(), ZoneInfo(profile.timezone))
    sent = batch.received_at if batch.manifest["control"].get("sent_at") else None
    moments = (sent, midnight, cut_off_of(profile, batch.business_date))
    connection.execute(
        "insert into _deliveries values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null, null)",
        [
            spec.table,
            batch.business_date,
            batch.number,
            max(earlier, default=None),
            min(sorted(earlier, reverse=True)[:window], default=None),
            batch.manifest["rows_read"],
            *(moment and moment.astimezone(ZoneInfo("UTC")).replace(tzinfo=None) for moment in moments),
            any(number < batch.number for number in sequence_gaps(batches_of_day(spec, batch.folder.parent))),
            len(batch.manifest.get("beside", ())),
        ],
    )
    for name, total in batch.manifest["control"].items():
        if name.startswith("total_"):
            row = [spec.table, batch.business_date, batch.number, name.removeprefix("total_"), Decimal(total)]
            connection.execute("insert into _totals values (?, ?, ?, ?, ?)", row)


def _make_past(connection, spec: Extract, before: list[Batch], typed: Callable[[Column], str]) -> None:
    """A view on the deliveries before and on those judged now; originals that were aged out leave what was accepted."""
    names = ", ".join(f'"{column.name}"' for column in spec.columns)
    parts = [f"select business_date, {names} from main.{spec.table}"]
    for batch in before:
        file = batch.folder / ROWS
        columns = ", ".join(typed(column) for column in spec.columns)
        if not file.is_file():
            file, columns = batch.folder / ACCEPTED, names
        quoted = str(file).replace("'", "''")
        parts.append(
            f"select date '{batch.business_date}' as business_date, {names} from"
            f" (select {columns} from read_parquet('{quoted}', hive_partitioning = false))"
        )
    connection.execute(f"create view past.{spec.table} as {' union all '.join(parts)}")


def _load_statistics(connection, profile: Profile, spec: Extract, landed, before, policy, window: int) -> None:
    """Statistics of what is judged and of what it is compared with."""
    fresh = [batch for batch in landed if not (batch.folder / statistics.STATISTICS).is_file()]
    if fresh:
        dates = ", ".join(f"date '{batch.business_date}'" for batch in fresh)
        statistics.compute(connection, profile, spec, f"business_date in ({dates})")
        for batch in fresh:
            statistics.add_quiet(connection, spec.table, batch.business_date, batch.number)
    kept = [batch for batch in landed if batch not in fresh]
    # The first delivery of events holds the history: it is like no other.
    usual = [
        batch
        for batch in (*before, *landed)
        if spec.delivery == "full" or batch.business_date != profile.initial_delivery_on
    ]
    compared: dict[date, Batch] = {batch.business_date: batch for batch in before[:window]}
    by_date = {batch.business_date: batch for batch in usual}
    if LEARNS in spec.expect:
        for batch in landed:
            values, day = policy[batch.business_date], batch.business_date
            most, least = int(values["learned_deliveries_max"]), int(values["learned_deliveries_min"])
            compared_with, dates = learned.comparable_dates(profile, day, by_date, most, least)
            compared |= {other: by_date[other] for other in dates}
            row = [spec.table, day, dates, day_type(profile, day), compared_with]
            connection.execute("insert into _comparable select ?, ?, unnest(cast(? as date[])), ?, ?", row)
    others = [batch for batch in compared.values() if batch not in landed]
    with_statistics = [b for b in (*kept, *others) if (b.folder / statistics.STATISTICS).is_file()]
    statistics.read(connection, spec.table, [batch.folder / statistics.STATISTICS for batch in with_statistics])
    in_force = [*landed, *others]
    row = [spec.table, [batch.business_date for batch in in_force], [batch.number for batch in in_force]]
    connection.execute("insert into _in_force select ?, unnest(?), unnest(?)", row)


def _find_repeats(connection, spec: Extract, landed: list[Batch]) -> None:
    """Which earlier delivery, or which earlier batch of the same date, had the same content."""
    least = ALIKE_BY_CHANCE if spec.delivery == "changes" else 1
    connection.execute(
        f"""
        update _deliveries set same_as_date = (
            select max(before.business_date) from _statistics as today join _statistics as before
                on before.source_table = today.source_table and before.statistic = 'content' and before.code = today.code
                and before.base = today.base and before.business_date < today.business_date
                and before.business_date >= _deliveries.window_from
            where today.source_table = '{spec.table}' and today.statistic = 'content' and today.base >= {least}
                and today.business_date = _deliveries.business_date and today.batch = _deliveries.batch
        ) where source_table = '{spec.table}'
        """
    )
    for batch in landed:
        file = batch.folder.parent / f"batch={batch.number - 1}" / ROWS
        if batch.number > 1 and file.is_file():
            quoted = str(file).replace("'", "''")
            names = ", ".join(f"nullif(trim(\"{column.name}\"), '')" for column in spec.columns)
            own = ", ".join(f'"{column.name}__text"' for column in spec.columns)
            differs = (
                f"with own as (select {own} from {spec.table} where business_date = date '{batch.business_date}'),"
                f" earlier as (select {names} from read_parquet('{quoted}', hive_partitioning = false))"
                " select exists ((from own except all from earlier) union all (from earlier except all from own))"
            )
            if not connection.execute(differs).fetchone()[0]:
                connection.execute(
                    f"update _deliveries set same_as_batch = {batch.number - 1} where source_table = '{spec.table}'"
                    f" and business_date = date '{batch.business_date}'"
                )
