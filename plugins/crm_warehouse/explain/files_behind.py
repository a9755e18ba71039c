"""The landing batches behind a customer's amounts: file, business date, sequence, sha256, when received."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crm_warehouse.files import read_json
from crm_warehouse.landing import MANIFEST
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings

FEEDS = {"account": "stg_core__balances", "holding": "stg_wealth__holdings"}  # where positions come from, by kind

POSITIONS = """
with own as (
    select position_id from {int_position_holders} where customer_id in (select unnest($customer_ids))
),
seen as (
    select position_kind, business_date, received_at
    from {int_positions_observed} semi join own using (position_id)
    where business_date between $first and last_day($last)
    union
    -- What was observed before, and still stood when the window began.
    select observed.position_kind, observed.business_date, observed.received_at
    from {int_position_day_spans} as spans
    join {int_positions_observed} as observed
        on observed.position_id = spans.position_id and observed.business_date = spans.valid_from
        and observed.balance_basis = 'end_of_day'
    semi join own on own.position_id = spans.position_id
    where spans.valid_from < $first and spans.valid_to > $first
)
select distinct batches.source_table, batches.business_date, batches.batch, batches.received_at, batches.sha256
from seen
join read_parquet($index) as batches
    on batches.received_at = seen.received_at
    and list_contains(case seen.position_kind when 'account' then $account else $holding end, batches.source_table)
-- A delivery may state earlier days; one that came together with that of the very day is not meant.
where batches.business_date = seen.business_date or not exists (
    select 1 from read_parquet($index) as same
    where same.source_table = batches.source_table and same.business_date = seen.business_date
        and same.received_at = seen.received_at
)
order by all
"""
OTHERS = """
select source_table, max(business_date) as business_date, max_by(batch, business_date) as batch,
    max_by(received_at, business_date) as received_at, max_by(sha256, business_date) as sha256
from read_parquet($index) where list_contains($tables, source_table)
group by source_table order by source_table
"""


def read_files_behind(
    ask: Callable[[str, dict], list[dict]],
    models: CompiledModels,
    settings: Settings,
    customer_ids: list[str],
    months: list[date],
    decided_by: tuple[str, ...],
) -> dict:
    """The batches that the positions of these customers came in, and the latest of every other extract that `decided_by` read."""
    index = str(settings.warehouse / "landing_batches.parquet")
    feeds = {kind: _extracts(models, [model]) for kind, model in FEEDS.items()}
    others = set(_extracts(models, decided_by)).difference(*feeds.values())
    window = {"first": min(months), "last": max(months)}
    positions = ask(POSITIONS, {"customer_ids": customer_ids, "index": index, **window, **feeds})
    beside = ask(OTHERS, {"index": index, "tables": sorted(others)})
    return {
        "positions_from": [_with_file(settings, batch) for batch in positions],
        "beside_them": [_with_file(settings, batch) for batch in beside],
    }


def show_files(facts: dict, console: Console) -> None:
    """Both lists of batches as tables."""
    for title, key in (
        ("files its positions came in 持仓所在文件", "positions_from"),
        ("the latest of the other extracts it is read with 其他数据的最新文件", "beside_them"),
    ):
        table = Table(title=title, title_justify="left")
        for column in (
            "extract",
            "file 文件",
            "business date 业务日期",
            "sequence 序号",
            "received 接收 (UTC)",
            "sha256",
        ):
            table.add_column(column, overflow="fold")
        for batch in facts[key]:
            received = f"{batch['received_at']:%Y-%m-%d %H:%M:%S}"
            cells = (batch["source_table"].replace("__", "."), batch["file"] or "-", str(batch["business_date"]))
            table.add_row(*map(escape, cells), str(batch["batch"]), received, batch["sha256"])
        console.print(table)


def _extracts(models: CompiledModels, targets: Iterable[str]) -> list[str]:
    """Landing tables that the SQL of models reads, directly or through others."""
    sql = "".join(model.sql for model in models.order(list(targets), ["int_beliefs"]))
    return sorted({"__".join(pair) for pair in re.findall(r"/([^/']+)/([^/']+)/business_date=", sql)})


def _with_file(settings: Settings, batch: dict) -> dict:
    source, extract = batch["source_table"].split("__", 1)
    folder = settings.landing / source / extract / f"business_date={batch['business_date']}"
    manifest = folder / f"batch={batch['batch']}" / MANIFEST
    return {**batch, "file": read_json(manifest)["file"] if manifest.is_file() else None}
