"""`make bench-tiers`: tier history of a million customers over 24 months, beside a query written by hand for it alone.

Both begin at monthly ratings and end at intervals with their movement; the engine's SQL is the compiled one of the project,
as built. The hand-written query knows one ladder without grace, one version and one belief; the engine's does not assume it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
from rich.console import Console

from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import load_settings

RESULTS = Path(__file__).parent / "results" / "tiers.json"
FIRST_MONTH, MONTHS = "2024-06-01", 24
GIVEN = (
    "int_months", "int_rating_windows", "int_tier_ladder", "int_tier_months", "int_tier_spells", "int_customer_ratings",
    "int_customer_keys", "int_beliefs",
)  # fmt: skip
# What ties the ratings to a ladder and a customer to a token is in both.
BY_HAND = """
create or replace table by_hand as
with rated as (
    select customer_id, month, rating_amount,
        case when rating_amount >= 6000000 then 6 when rating_amount >= 2000000 then 5 when rating_amount >= 500000 then 4
            when rating_amount >= 200000 then 3 when rating_amount >= 50000 then 2 else 1 end as tier_rank
    from {ratings}
),
changed as (
    select *, lag(tier_rank) over (partition by customer_id order by month) as before from rated
    qualify before is distinct from tier_rank
)
select
    customer_key, cast(month + interval 1 month as date) as valid_from,
    lead(cast(month + interval 1 month as date), 1, date '9999-12-31') over (partition by customer_id order by month) as valid_to,
    tier_rank, case when before is null then 'opened' when tier_rank > before then 'up' else 'down' end as movement
from changed join {keys} using (customer_id)
"""


def prepare(connection: duckdb.DuckDBPyConnection, models: CompiledModels, customers: int) -> None:
    """Customers whose assets walk from month to month, one spell each, one ladder without grace."""
    name = models.relation
    for statement in (
        f"""create table {name('int_months')} as
        select cast(date '{FIRST_MONTH}' + to_months(cast(n as integer)) as date) as month, last_day(month) as month_end,
            day(month_end) as days_in_month, true as is_complete, true as is_fed,
            cast(month_end as timestamp) + interval 17 hour as known_at
        from range({MONTHS}) as t (n)""",
        f"""create table {name('int_tier_ladder')} as
        select 'default' as policy_id, 'v1' as policy_version, *, least(0.2 * threshold_amount, 1000000)::decimal(18, 2) as near_band_amount,
            1 as up_lag_months, 'last' as landing_rule, 1 as review_months, 1 as watch_misses, 1 as losing_miss, 1 as longest_grace,
            date '2020-01-01' as effective_from, date '9999-12-31' as effective_to, 8000000::decimal(18, 2) as volatile_to_amount,
            6000000::decimal(18, 2) as private_threshold_amount, lead(threshold_amount) over (order by tier_rank) as next_threshold_amount,
            lead(least(0.2 * threshold_amount, 1000000)::decimal(18, 2)) over (order by tier_rank) as next_near_band_amount
        from (values ('mass', 1, 0::decimal(18, 2)), ('gold', 2, 50000), ('platinum', 3, 200000), ('wealth', 4, 500000),
            ('diamond', 5, 2000000), ('private', 6, 6000000)) as tiers (tier_code, tier_rank, threshold_amount)""",
        f"""create table {name('int_rating_windows')} as
        select month, 'v1' as policy_version, true as is_in_force, true as is_review, month as window_month, days_in_month as divisor
        from {name('int_months')}""",
        f"""create table {name('int_tier_spells')} as
        select 'C' || lpad(cast(n as varchar), 10, '0') as customer_id, cast(1 as bigint) as spell_number, date '2019-01-01' as spell_from,
            date '9999-12-31' as spell_to, 'account_opened' as opening_reason, 'relationship_closed' as closing_reason,
            timestamp '2024-06-01 17:00:00' as opening_known_at, cast(null as timestamp) as closing_known_at
        from range({customers}) as t (n)""",
        f"""create table {name('int_customer_ratings')} as
        with steps as (
            select customer_id, month, hash(customer_id) as h, (hash(customer_id, month) % 100000 / 100000.0 - 0.5) * 0.24 as step
            from {name('int_tier_spells')} cross join {name('int_months')}
        )
        select customer_id, month, 'v1' as policy_version, cast(exp(6.5 + 6 * (h % 1000000 / 1000000.0) * (h % 1000003 / 1000003.0)
            + 3 * (h % 999983 / 999983.0) + sum(step) over (partition by customer_id order by month)) as decimal(18, 2)) as rating_amount
        from steps""",
        f"""create table {name('int_tier_months')} as
        select customer_id, month, month_end, is_complete, is_fed, known_at, cast(1 as bigint) as spell_number, false as is_partial_month
        from {name('int_tier_spells')} cross join {name('int_months')}""",
        f"""create table {name('int_customer_keys')} as
        select customer_id, md5(customer_id) as customer_key from {name('int_tier_spells')}""",
        f"""create table {name('int_beliefs')} as
        select cast(1 as bigint) as belief_number, timestamp '0001-01-01' as known_from, timestamp '9999-12-31' as known_to, true as is_present""",
    ):  # fmt: skip
        connection.execute(statement)


def seconds(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return round(time.monotonic() - started, 2)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tiers", description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="each in turn; the best of each counts")
    given = parser.parse_args()
    console = Console()
    settings = load_settings()
    models = CompiledModels(settings.warehouse / "dbt" / "manifest.json")
    target = "fct_customer_tier_history"
    with models.scratch() as connection:
        connection.execute("set threads = 2; set preserve_insertion_order = false")
        prepare(connection, models, given.customers)
        by_hand = BY_HAND.format(
            ratings=models.relation("int_customer_ratings"), keys=models.relation("int_customer_keys")
        )
        rounds = []
        for _ in range(given.rounds):
            rounds.append(
                (seconds(lambda: connection.execute(by_hand)), seconds(lambda: models.run(connection, [target], GIVEN)))
            )
            console.print(f"by hand {rounds[-1][0]} s, the engine {rounds[-1][1]} s")
        (differing,) = connection.execute(
            f"""select count(*) from (
                select customer_key, valid_from, valid_to, movement from {models.relation(target)} where known_to = timestamp '9999-12-31'
            ) full join by_hand using (customer_key, valid_from, valid_to, movement)
            where by_hand.tier_rank is null"""
        ).fetchone()
        assert differing == 0, f"{differing} intervals differ from those worked out by hand"
        (intervals,) = connection.execute("select count(*) from by_hand").fetchone()
    hand, engine = (min(times) for times in zip(*rounds, strict=True))
    result = {
        "customers": given.customers, "months": MONTHS, "intervals": intervals, "by_hand_seconds": hand, "engine_seconds": engine,
        "ratio": round(engine / hand, 2), "rounds": rounds,
    }  # fmt: skip
    console.print_json(json.dumps(result))
    if given.customers >= 1_000_000:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
