"""`make bench-values`: customer values of a million customers for one month, beside a script written by hand for it alone.

Both begin at the trailing year of each customer and end at lifetime value in six scenarios; the project's SQL is the compiled one, as
built. The script walks every customer's months ahead; the project's does not.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import load_settings

RESULTS = Path(__file__).parent / "results" / "values.json"
GIVEN = (
    "int_value_parameters_dated", "int_customer_value_states", "int_customer_years_trailed", "int_life_tables",
    "int_cell_captures_learned",
)  # fmt: skip
MONTH = "date '2026-06-01'"
NUMBERS = {
    "life_table_min_months": 200, "wallet_min_customers": 100, "cell_min_customers": 30, "growth_prior_months": 6,
    "margin_prior_months": 6, "value_horizon_months": 60, "value_horizon_short_months": 36,
    "value_horizon_long_months": 120, "peer_wallet_quantile": "0.8::decimal(18, 6)",
    "growth_max_rate": "0.03::decimal(18, 6)", "growth_fade_rate": "0.94::decimal(18, 6)",
    "growth_step_rate": "0.001::decimal(18, 6)", "margin_max_rate": "0.01::decimal(18, 6)",
    "value_discount_rate": "0.1::decimal(18, 6)", "value_discount_low_rate": "0.08::decimal(18, 6)",
    "value_discount_high_rate": "0.12::decimal(18, 6)",
}  # fmt: skip
# What both take from policy, peers and the life table is in both; the months ahead are walked here.
BY_HAND = """
create or replace table by_hand as
with customers as (
    select p.*, l.exit_rate::double as q, l.capture_rate::double as k, path_assets_amount::double as a, wealth_stock_amount::double as w,
        contribution_avoidable_year_amount::double / months_observed as cm
    from {prospects} as p join {cells} as l using (month, cell)
),
paths as (
    select g, h, exp(sum(ln(1 + g * 0.001 * power(0.94, h))) over (partition by g order by h)) as level
    from (select distinct path_growth_steps as g from customers), range(1, 121) as t (h)
),
walked as (
    select customer_id, cm, path_margin::double as path_margin, median_margin::double as median_margin, a, w, h,
        least(w, a * paths.level) as level, power(1 - q, h) as s, 1 - power(1 - k, h / 12) as c
    from customers join paths on g = path_growth_steps
)
select customer_id,
    {sums}
from walked group by customer_id
"""
TERM = "(cm + path_margin * (level - a) + median_margin * (w - level) * c) * s"
SCENARIOS = {
    "central": (0.1, 60),
    "low": (0.08, 60),
    "high": (0.12, 60),
    "short": (0.1, 36),
    "long": (0.1, 120),
    "year": (0, 12),
}


def prepare(connection: duckdb.DuckDBPyConnection, models: CompiledModels, customers: int) -> None:
    """Customers of every cell, with a trailing year each."""
    name = models.relation
    numbers = ", ".join(f"{value} as {parameter}" for parameter, value in NUMBERS.items())
    for statement in (
        f"create table {name('int_value_parameters_dated')} as select {MONTH} as month, true as is_complete, {numbers}",
        f"""create table {name("int_customer_value_states")} as
        select 'C' || lpad(n::varchar, 10, '0') as customer_id, {MONTH} as month, true as is_here,
            (['mass', 'mass', 'mass', 'mass', 'gold', 'gold', 'platinum', 'wealth', 'diamond', 'private'])[(1 + hash(n, 1) % 10)::bigint] as tier_code,
            (1 + hash(n, 2) % 4)::varchar as tenure_band,
            (['18_24', '25_34', '35_44', '45_65', 'over_65'])[(1 + hash(n, 3) % 5)::bigint] as age_band,
            (['county', 'tier_1', 'tier_2', 'tier_3'])[(1 + hash(n, 4) % 4)::bigint] as city_tier, 'o' || hash(n, 5) % 9 as occupation_code,
            case when hash(n, 6) % 5 = 0 then (exp(6 + hash(n, 7) % 1000 / 100.0))::decimal(18, 2) end as declared_wealth_amount
        from range({customers}) as t (n)""",
        f"""create table {name("int_customer_years_trailed")} as
        select customer_id, month, case when hash(customer_id, 9) % 20 = 0 then 0 else exp(5 + hash(customer_id, 8) % 1000 / 100.0) end
            ::decimal(18, 2) as assets_amount, 12::bigint as months_observed,
            (assets_amount * 0.0001 * (hash(customer_id, 10) % 300 - 60.0))::decimal(18, 2) as contribution_avoidable_year_amount,
            contribution_avoidable_year_amount as contribution_full_year_amount, (assets_amount * 12)::decimal(20, 2) as assets_months_amount,
            12 as trend_months, (hash(customer_id, 11) % 1000 - 480.0) / 10000 as asset_slope
        from {name("int_customer_value_states")}""",
        f"""create table {name("int_life_tables")} as
        select {MONTH} as month, tier_code || '|' || tenure_band || '|' || age_band as cell, count(*) as customer_months,
            (count(*) * (0.0005 + hash(cell) % 100 / 50000.0))::bigint as exits
        from {name("int_customer_value_states")} group by cell""",
        f"""create table {name("int_cell_captures_learned")} as
        select month, cell, (hash(cell, 1) % 100 / 1000.0)::decimal(9, 6) as capture_rate from {name("int_life_tables")}""",
    ):
        connection.execute(statement)


def measure(customers: int, way: str) -> dict:
    """Seconds and peak memory of one way, in this process alone."""
    models = CompiledModels(load_settings().warehouse / "dbt" / "manifest.json")
    with models.scratch() as connection:
        connection.execute("set threads = 2; set memory_limit = '8GB'; set preserve_insertion_order = false")
        prepare(connection, models, customers)
        started = time.perf_counter()
        models.run(
            connection,
            ["int_customer_values_projected" if way == "project" else "int_customer_prospects_weighed"],
            GIVEN,
        )
        if way == "by_hand":
            sums = ",\n    ".join(
                f"sum(case when h <= {horizon} then {TERM} * power(1 + {rate}, -h / 12) end) as lifetime_{name}"
                for name, (rate, horizon) in SCENARIOS.items()
            )
            relations = {
                "prospects": models.relation("int_customer_prospects_weighed"),
                "cells": models.relation("int_value_cells_learned"),
            }
            connection.execute(BY_HAND.format(sums=sums, **relations))
        seconds = time.perf_counter() - started
        table = models.relation("int_customer_values_projected") if way == "project" else "by_hand"
        rows, total = connection.execute(f"select count(*), sum(lifetime_central)::double from {table}").fetchone()
        factors = (
            connection.execute(f"select count(*) from {models.relation('int_value_factors')}").fetchone()[0]
            if way == "project"
            else None
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {"way": way, "customers": customers, "seconds": round(seconds, 1), "peak_gib": round(peak, 2), "rows": rows,
            "lifetime_value": round(total, 2), "factors": factors}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--way", choices=["project", "by_hand"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments.customers, arguments.way)))
        return
    command = [sys.executable, "-m", "benchmarks.values", "--customers", str(arguments.customers), "--way"]
    found = [
        json.loads(subprocess.run([*command, way], check=True, capture_output=True, text=True).stdout)
        for way in ("project", "by_hand")
    ]
    arguments.results.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
