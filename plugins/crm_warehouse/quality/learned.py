"""Learned bounds: what earlier accepted deliveries of comparable days say of today's statistics.

What is wrong at the source shows as something that is missing: an hour, a code, a currency, a power of ten, decimals,
different values. What is relabelled is missing where it was. So each count that is far *below* what comparable
deliveries had blocks; one far above is shown only, because banks do have days of interest, fees and survey waves.

A count is compared by its root, where chance spreads it by one half whatever its size, so that a bank of 300 customers
does not alarm by chance. It may lie as far from the median of the earlier deliveries as a multiple of `width`: chance,
what the earlier ones spread beyond chance, and a floor. Means of log10 likewise, but those are only shown. Every number
is policy. `_learned` has each comparison: n, bounds, observed, verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from crm_warehouse.profile import Profile
from crm_warehouse.quality.day_types import day_type
from crm_warehouse.quality.duckdb_engine import connect
from crm_warehouse.quality.statistics import BY_CODE, COUNTS

# Policy (landing_thresholds.csv) that the bounds are made of.
THRESHOLDS = (
    "learned_deliveries_max",
    "learned_deliveries_min",
    "learned_multiplier_block",
    "learned_multiplier_near",
    "learned_other_days_factor",
    "learned_floor_share",
    "learned_floor_size",
)
MOST_SHOWN = 100
FARTHEST = "abs(distance) desc, source_table, business_date, column_name, statistic, code"
ANY_DAY = "any"
NOT_LIKE_OTHERS = ("after a long closure",)  # compared with its own kind or not at all
# Of deviations, the share that is taken for the spread, and how many standard deviations it lies out.
QUANTILE, DEVIATIONS = 0.9, 1.645

# A code that did not come is a code with no rows: every code seen is compared on every date of its column.
_OBSERVED = f"""
    create or replace temp table observed as
    with kept as (
        select * from _statistics where statistic <> 'content'
            and (source_table, business_date, batch) in (select (source_table, business_date, batch) from _in_force)
    ),
    dates as (select distinct source_table, business_date from kept),
    codes as (select distinct source_table, column_name, statistic, code from kept where statistic in {BY_CODE} or statistic in {COUNTS})
    select dates.source_table, dates.business_date, column_name, statistic, code, coalesce(kept.observed, 0) as observed,
        0 as noise
    from dates join codes using (source_table)
    left join kept using (source_table, business_date, column_name, statistic, code)
    union all
    select source_table, business_date, column_name, statistic, code, observed,
        case when statistic = 'total' then pow(spread / ln(10), 2) else pow(spread, 2) / base end
    from kept where statistic in ('magnitude', 'total')
"""
_KEY = "source_table, column_name, statistic, code"
_LEARNED = f"""
    insert into _learned
    with places as (
        select * exclude (noise), statistic in {COUNTS} as is_count,
            case when is_count then sqrt(observed + 0.375) else observed end as place,
            case when is_count then 0.25 else noise end as noise
        from observed
    ),
    before as (
        select places.*, day_type, compared_with from places
        join _comparable as c on places.source_table = c.source_table and places.business_date = c.earlier_date
        where c.business_date = date '{{day}}'
    ),
    centres as (select {_KEY}, median(place) as centre from before group by all),
    earlier as (
        select {_KEY}, is_count, day_type, compared_with, centre, count(*) as n, max(observed) > 0 as was_there,
            quantile_cont(abs(place - centre), {QUANTILE}) as deviation, median(noise) as usual_noise
        from before join centres using ({_KEY}) group by all
    ),
    compared as (
        select earlier.*, today.business_date, today.observed, sqrt(
                greatest(0, pow(deviation / {DEVIATIONS}, 2) - usual_noise) + greatest(today.noise, usual_noise)
                + pow(case when is_count then {{learned_floor_share}} * centre / 2 else {{learned_floor_size}} end, 2)
            ) * case when compared_with = '{ANY_DAY}' then {{learned_other_days_factor}} else 1 end as width,
            (today.place - centre) / width as distance
        from earlier
        join (select * exclude (is_count) from places where business_date = date '{{day}}') as today using ({_KEY})
    ),
    bounded as (
        select *, centre - {{learned_multiplier_block}} * width as low, centre + {{learned_multiplier_block}} * width as high
        from compared
    )
    select source_table, business_date, column_name, statistic,
        case when was_there or statistic <> 'code' then code else '(new)' end, day_type, compared_with, n,
        case when is_count then greatest(0, pow(greatest(0, low), 2) - 0.375) else low end,
        case when is_count then pow(high, 2) - 0.375 else high end,
        observed, distance,
        case when n < {{learned_deliveries_min}} then 'learning'
            when is_count and distance < -{{learned_multiplier_block}} then 'outside'
            when distance < -{{learned_multiplier_near}} or distance > {{learned_multiplier_block}} then 'near'
            else 'inside' end
    from bounded where was_there or observed > 0 or not is_count
"""


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        create table _in_force (source_table text, business_date date, batch bigint);
        create table _comparable
            (source_table text, business_date date, earlier_date date, day_type text, compared_with text);
        create table _learned (
            source_table text, business_date date, column_name text, statistic text, code text, day_type text,
            compared_with text, n bigint, low double, high double, observed double, distance double, verdict text
        )
        """
    )


def comparable_dates(profile: Profile, day: date, earlier: Iterable[date], most: int, least: int) -> tuple[str, list]:
    """The latest deliveries before `day` of its type; where they are too few, the latest of any type."""
    kind = day_type(profile, day)
    before = sorted((other for other in earlier if other < day), reverse=True)
    same = [other for other in before if day_type(profile, other) == kind][:most]
    if len(same) >= least or kind in NOT_LIKE_OTHERS:
        return kind, same
    return ANY_DAY, [other for other in before if day_type(profile, other) not in NOT_LIKE_OTHERS][:most]


def learn(connection: duckdb.DuckDBPyConnection, thresholds: dict[date, dict[str, Decimal]]) -> None:
    """Fill `_learned` for the dates of `thresholds`, from `_statistics`, `_in_force` and `_comparable`."""
    connection.execute(_OBSERVED)
    for day, values in thresholds.items():
        connection.execute(_LEARNED.format(day=day, **{name: values[name] for name in THRESHOLDS}))


def summarise(database: Path) -> dict:
    """How many comparisons there were by verdict, and those that failed or came near, the farthest first."""
    with connect(database, read_only=True) as connection:
        counts = dict(connection.execute("select verdict, count(*) from _learned group by 1 order by 1").fetchall())
        found = connection.execute(
            f"select * from _learned where verdict in ('near', 'outside') order by verdict desc, {FARTHEST} limit {MOST_SHOWN}"
        )
        names = [column[0] for column in found.description]
        shown = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {"counts": counts, "shown": [{**row, "business_date": row["business_date"].isoformat()} for row in shown]}


def keep(database: Path, path: Path) -> None:
    """Keep every comparison of a run: n, bounds, observed, verdict."""
    with connect(database, read_only=True) as connection:
        connection.execute(f"copy (select * from _learned order by all) to '{path}' (format parquet, compression zstd)")
