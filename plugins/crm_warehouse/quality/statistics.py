"""Statistics of a delivery: a few numbers a batch, kept beside it, so that later deliveries can be compared with it.

`statistics.parquet` in a batch's folder has one row per column x statistic x code. It is computed from the rows as they
were sent, so it does not depend on what was set aside; it holds counts, never a value of a personal column:

| statistic | observed | base | spread |
|---|---|---|---|
| `rows`; `filled`, `empty`, `distinct` | rows; of a column: with a value, without; different values | | |
| `code`, `hour`, `lag` | rows with this code, hour of the day, age in days | | |
| `hours` | different hours of the day | | |
| `sign`, `size`, `cents` | numbers below, at, above nought; by power of ten; with and without decimals | | |
| `magnitude` | mean of log10 of what is not nought | how many | standard deviation |
| `total` | log10 of the sum of all sizes | how many | share of the largest |
| `content` | 0 | rows | (its code is a fingerprint of all but dates, times and personal columns) |
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from crm_warehouse.files import sync
from crm_warehouse.profile import Column, Extract, Profile

STATISTICS = "statistics.parquet"
MOST_CODES = 60  # a text column with more different values than this is no code
ROWS_PER_CODE = 4  # nor is one whose values hardly repeat
COUNTS = ("rows", "filled", "empty", "distinct", "hours", "code", "hour", "lag", "sign", "size", "cents")
BY_CODE = ("code", "hour", "lag", "sign", "size", "cents")
NUMBERS = ("decimal", "fraction", "quantity", "integer")
COLUMNS = "business_date, batch, column_name, statistic, code, observed, base, spread"
# A mean of logarithms rounded to nine places adds up to the same sum in any order, so the file has the same bytes again.
LOG = "cast(log10(abs(nullif({0}, 0))) as decimal(18, 9))"


def compute(connection: duckdb.DuckDBPyConnection, profile: Profile, spec: Extract, where: str) -> None:
    """Add the statistics of the batches of `spec` that `where` selects to the table `_statistics`."""
    connection.execute("begin")
    for query in _queries(profile, spec):
        query = query.replace("{from}", f"from {spec.table} where {where}")
        connection.execute(f"insert into _statistics select '{spec.table}', {COLUMNS} from ({query})")
    connection.execute("commit")


def add_quiet(connection: duckdb.DuckDBPyConnection, table: str, business_date: date, batch: int) -> None:
    """A delivery without rows has statistics too: no rows."""
    connection.execute(
        "insert into _statistics select ?, ?, ?, '', 'rows', '', 0, 0, 0 where not exists (select 1 from _statistics"
        " where source_table = ? and business_date = ? and batch = ?)",
        [table, business_date, batch] * 2,
    )


def create_table(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create table _statistics (source_table text, business_date date, batch bigint, column_name text,"
        " statistic text, code text, observed double, base double, spread double)"
    )


def write(connection: duckdb.DuckDBPyConnection, table: str, where: str, folder: Path) -> None:
    """Keep the statistics of one batch beside it; the same rows give the same bytes."""
    rows = connection.execute(
        "select column_name, statistic, code, observed, base, spread from _statistics"
        f" where source_table = '{table}' and {where} order by all"
    ).to_arrow_table()
    temporary = folder / f".{STATISTICS}.tmp"
    pq.write_table(rows, temporary, compression="zstd")
    sync(temporary)
    temporary.rename(folder / STATISTICS)
    sync(folder)


def read(connection: duckdb.DuckDBPyConnection, table: str, files: list[Path]) -> None:
    """Add kept statistics to `_statistics`; the folder's name says of which date and batch."""
    if files:
        connection.execute(
            f"insert into _statistics select '{table}', {COLUMNS} from read_parquet(?, hive_partitioning = true,"
            " hive_types = {'business_date': date, 'batch': bigint})",
            [[str(file) for file in files]],
        )


def _queries(profile: Profile, spec: Extract) -> Iterator[str]:
    """Queries of rows of `_statistics`; `{from}` stands for the rows they are of."""
    yield _content(spec)
    yield _unpivoted(
        [("", "rows", "count(*)", "0", "0"), *(c for column in spec.columns for c in _counts(profile, column))]
    )
    for column in spec.columns:
        for statistic, code in _groups(profile, spec, column):
            yield _grouped(column, statistic, code, few=statistic == "code" and not column.values)


def _content(spec: Extract) -> str:
    """One fingerprint of what was sent, whatever its dates and the order of its rows."""
    said = [
        f"""coalesce("{column.name}__text", '')"""
        for column in spec.columns
        if column.type not in ("date", "timestamp") and not column.personal
    ]
    row = f"md5_number(concat_ws(chr(31), {', '.join(said)}))" if said else "0"
    return (
        "select business_date, batch, '' as column_name, 'content' as statistic,"
        f" cast(bit_xor({row}) as varchar) as code, 0 as observed, count(*) as base, 0 as spread {{from}} group by all"
    )


def _counts(profile: Profile, column: Column) -> Iterator[tuple[str, str, str, str, str]]:
    """(column, statistic, observed, base, spread) of one column, all from one pass over the rows."""
    name = f'"{column.name}"'
    yield column.name, "filled", f'count("{column.name}__text")', "0", "0"
    yield column.name, "empty", f'count(*) - count("{column.name}__text")', "0", "0"
    if column.type != "boolean":
        yield column.name, "distinct", f"count(distinct {name})", "0", "0"
    if column.type == "timestamp":
        yield column.name, "hours", f"count(distinct hour({name}))", "0", "0"
    if column.type not in NUMBERS:
        return
    log, there = LOG.format(name), f"{name} <> 0"
    many = f"count(*) filter ({there})"
    squares = f"cast({log} as decimal(9, 4)) * cast({log} as decimal(9, 4))"
    mean = f"sum({log}) / {many}"
    yield column.name, "magnitude", mean, many, f"sqrt(greatest(0, sum({squares}) / {many} - pow({mean}, 2)))"
    total = f"cast(sum(abs({name})) filter ({there}) as double)"
    yield column.name, "total", f"log10({total})", many, f"cast(max(abs({name})) as double) / {total}"


def _unpivoted(counts: list[tuple[str, str, str, str, str]]) -> str:
    """Numbers side by side, as one row each; a mean of nothing is left out."""
    aggregates, entries = [], []
    for number, (column, statistic, observed, base, spread) in enumerate(counts):
        aggregates.append(
            f"cast({observed} as double) as o{number}, cast({base} as double) as b{number},"
            f" cast({spread} as double) as s{number}"
        )
        quoted = column.replace("'", "''")
        entries.append(
            f"struct_pack(c := '{quoted}', s := '{statistic}', o := o{number}, b := b{number}, d := s{number})"
        )
    return (
        "select business_date, batch, entry.c as column_name, entry.s as statistic, '' as code,"
        " entry.o as observed, entry.b as base, entry.d as spread"
        f" from (select business_date, batch, unnest([{', '.join(entries)}]) as entry"
        f" from (select business_date, batch, {', '.join(aggregates)} {{from}} group by business_date, batch))"
        " where entry.o is not null"
    )


def _groups(profile: Profile, spec: Extract, column: Column) -> Iterator[tuple[str, str]]:
    """(statistic, the group a row belongs to) of one column."""
    name = f'"{column.name}"'
    if column.personal:
        return
    if _may_be_code(profile, spec, column):
        yield "code", f"cast({name} as varchar)"
    if column.type in NUMBERS:
        sign = f"case when {name} < 0 then '-' when {name} = 0 then '0' when {name} > 0 then '+' end"
        yield "sign", sign
        yield (
            "size",
            f"case when {name} <> 0 then {sign} || cast(cast(floor({LOG.format(name)}) as integer) as varchar) end",
        )
    if column.type == "decimal":
        yield "cents", f"case when {name} <> trunc({name}) then 'cents' when {name} <> 0 then 'whole' end"
    day = name
    if column.type == "timestamp":
        local = f"timezone('{profile.timezone}', timezone('UTC', {name}))"
        yield "hour", f"lpad(cast(hour({local}) as varchar), 2, '0')"
        day = f"cast({local} as date)"
    if column.type in ("date", "timestamp") and spec.delivery != "full":
        # How old what happened is: of events and changes, where it says something of the delivery.
        days = f"date_diff('day', {day}, business_date)"
        yield (
            "lag",
            (
                f"case when {days} < 0 then 'to come' when {days} <= 2 then cast({days} as varchar)"
                f" when {days} <= 7 then '3-7' when {days} <= 31 then '8-31' when {days} is not null then 'older' end"
            ),
        )


def _may_be_code(profile: Profile, spec: Extract, column: Column) -> bool:
    """Declared codes and flags; texts that are no id of their own and name no customer."""
    if column.values or column.type == "boolean":
        return True
    return column.type == "text" and spec.key != (column.name,) and not profile.names_customer(spec, column)


def _grouped(column: Column, statistic: str, group: str, few: bool) -> str:
    """Rows of each group; with `few`, only where the groups are few and repeat."""
    quoted, window = column.name.replace("'", "''"), "over (partition by business_date, batch)"
    counted = (
        f"select business_date, batch, {group} as code, count(*) as n {{from}} and {group} is not null group by all"
    )
    limit = f" qualify count(*) {window} <= least({MOST_CODES}, sum(n) {window} / {ROWS_PER_CODE})" if few else ""
    return (
        f"select business_date, batch, '{quoted}' as column_name, '{statistic}' as statistic, code, n as observed,"
        f" 0 as base, 0 as spread from ({counted}){limit}"
    )
