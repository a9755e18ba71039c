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
    "int_months",
    "int_tier_ladder",
    "int_tier_spells",
    "int_customer_months_placed",
    "int_customer_keys",
    "int_beliefs",
)
# The same table, row for row, for this one ladder: no grace, no second version, no spell that begins or ends, one belief.
BY_HAND = """
create or replace table by_hand as
with rated as (
    select customer_id, month, case when rating_amount >= 6000000 then 6 when rating_amount >= 2000000 then 5
        when rating_amount >= 500000 then 4 when rating_amount >= 200000 then 3 when rating_amount >= 50000 then 2 else 1 end as rank
    from {ratings}
),
changed as (
    select *, lag(rank) over (partition by customer_id order by month) as before from rated
    qualify before is distinct from rank
),
intervals as (
    select *, lead(month) over (partition by customer_id order by month) as next_month from changed
),
believed as (
    select customer_id, month, null as ended, rank, before, month as known, next_month as known_until from intervals
    union all
    select customer_id, month, next_month, rank, before, next_month, null from intervals where next_month is not null
)
select
    customer_key, cast(month + interval 1 month as date) as valid_from,
    coalesce(cast(ended + interval 1 month as date), date '9999-12-31') as valid_to,
    cast(last_day(known) as timestamp) + interval 17 hour as known_from,
    coalesce(cast(last_day(known_until) as timestamp) + interval 17 hour, timestamp '9999-12-31') as known_to,
    tiers.tier_code, previous.tier_code as previous_tier_code,
    case when before is null then 'opened' when rank > before then 'up' else 'down' end as movement,
    case when before is null then 'history_begins' when rank > before then 'rating_reached_threshold'
        else 'rating_below_threshold' end as reason,
    tiers.policy_version
from believed join {keys} using (customer_id) join {ladder} as tiers on rank = tiers.tier_rank
left join {ladder} as previous on before = previous.tier_rank
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
        select 'default' as policy_id, 'v1' as policy_version, *, tier_rank as place, tier_rank as last_rank, least(0.2 * threshold_amount, 1000000)::decimal(18, 2) as near_band_amount,
            1 as up_lag_months, 'last' as landing_rule, 1 as review_months, 1 as watch_misses, 1 as losing_miss, 1 as longest_grace,
            date '2020-01-01' as effective_from, date '9999-12-31' as effective_to, 8000000::decimal(18, 2) as volatile_to_amount,
            6000000::decimal(18, 2) as private_threshold_amount, lead(threshold_amount) over (order by tier_rank) as next_threshold_amount,
            lead(least(0.2 * threshold_amount, 1000000)::decimal(18, 2)) over (order by tier_rank) as next_near_band_amount
        from (values ('mass', 1, 0::decimal(18, 2)), ('gold', 2, 50000), ('platinum', 3, 200000), ('wealth', 4, 500000),
            ('diamond', 5, 2000000), ('private', 6, 6000000)) as tiers (tier_code, tier_rank, threshold_amount)""",
        f"""create table {name('int_tier_spells')} as
        select 'C' || lpad(cast(n as varchar), 10, '0') as customer_id, cast(1 as bigint) as spell_number, date '2019-01-01' as spell_from,
            date '9999-12-31' as spell_to, 'account_opened' as opening_reason, 'relationship_closed' as closing_reason,
            timestamp '2024-06-01 17:00:00' as opening_known_at, cast(null as timestamp) as closing_known_at
        from range({customers}) as t (n)""",
        f"""create table {name('int_customer_months_placed')} as
        with steps as (
            select customer_id, month, hash(customer_id) as h, (hash(customer_id, month) % 100000 / 100000.0 - 0.5) * 0.24 as step
            from {name('int_tier_spells')} cross join {name('int_months')}
        ),
        rated as (
            select customer_id, month, cast(1 as bigint) as spell_number, true as may_decide, false as is_partial_month,
                'v1' as policy_version, true as is_in_force, true as is_review,
                cast(exp(6.5 + 6 * (h % 1000000 / 1000000.0) * (h % 1000003 / 1000003.0) + 3 * (h % 999983 / 999983.0)
                    + sum(step) over (partition by customer_id order by month)) as decimal(18, 2)) as rating_amount
            from steps
        )
        select rated.*, ladder.place from rated join {name('int_tier_ladder')} as ladder
        on rating_amount >= threshold_amount and (next_threshold_amount is null or rating_amount < next_threshold_amount)""",
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
            ratings=models.relation("int_customer_months_placed"),
            keys=models.relation("int_customer_keys"),
            ladder=models.relation("int_tier_ladder"),
        )
        rounds = []
        for _ in range(given.rounds):
            rounds.append(
                (seconds(lambda: connection.execute(by_hand)), seconds(lambda: models.run(connection, [target], GIVEN)))
            )
            console.print(f"by hand {rounds[-1][0]} s, the engine {rounds[-1][1]} s")
        (differing,) = connection.execute(
            f"select count(*) from (from {models.relation(target)} except from by_hand)"
            f" full join (from by_hand except from {models.relation(target)}) using (customer_key, valid_from)"
        ).fetchone()
        assert differing == 0, f"{differing} rows differ from those worked out by hand"
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
