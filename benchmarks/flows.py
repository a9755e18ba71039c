"""`make bench-flows`: two million transactions of one day, classified and bridged, for a bank of a million customers.

Begins at transactions, accounts, holders, balances of two month ends and orders; ends at fct_aum_bridge and
fct_bridge_corrections. The SQL is the compiled one of the project, as built. What comes out is checked against sums by hand:
every transaction is shown, every customer's month closes, what is transferred within the bank is nothing over the bank.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import duckdb

from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import load_settings

RESULTS = Path(__file__).parent / "results" / "flows.json"
MOST_SECONDS = 30
TARGETS = ("fct_aum_bridge", "fct_bridge_corrections")
DAY, MONTH, MONTH_END, BEFORE, BEFORE_END = (
    f"date '{day}'" for day in ("2026-06-15", "2026-06-01", "2026-06-30", "2026-05-01", "2026-05-31")
)
# In the order in which they are made. A transaction in a hundred is a leg of a transfer within the bank, one in fifty a leg of a
# conversion, one in a thousand of an account nobody knows, one in forty in dollars; one account in fifty is held by two.
INPUTS = {
    "int_customer_spells": """select 'C' || lpad(n::varchar, 10, '0') as customer_id, 1::bigint as spell_number, date '2020-01-01' as spell_from,
            date '9999-12-31' as spell_to from range({customers}) as t (n)""",
    "int_customer_keys": "select customer_id, md5(customer_id) as customer_key from {int_customer_spells}",
    "int_customer_months": "select customer_id, {before} as month from {int_customer_spells} union all select customer_id, {month} from {int_customer_spells}",
    "int_months": """select * from (values ({before}, {before_end}), ({month}, {month_end})) as t (month, month_end)""",
    "int_parameter_spans": """select parameter, value::decimal(18, 6) as value, date '2020-01-01' as valid_from, date '9999-12-31' as valid_to
        from (values ('bridge_tolerance_amount', 1), ('bridge_tolerance_share', 0.0001)) as t (parameter, value)""",
    "int_products_latest": """select * from (values ('DEM', 'demand_deposit', true), ('USD', 'demand_deposit', true), ('TD', 'time_deposit', true),
        ('FUND', 'fund', true)) as t (product_id, product_family, counts_in_aum)""",
    "int_fx_spans": """select 'USD' as currency_code, date '2026-05-01' + n::integer as valid_from,
            case n when 60 then date '9999-12-31' else date '2026-05-02' + n::integer end as valid_to, (7 + n / 1000)::decimal(14, 8) as rate
        from range(61) as t (n)
        union all
        select 'CNY', date '0001-01-01', date '9999-12-31', 1::decimal(14, 8)""",
    # Even accounts pay what odd ones get.
    "int_accounts_latest": """select 'A' || lpad(n::varchar, 10, '0') as account_id, 'C' || lpad((n % {customers})::varchar, 10, '0') as customer_id,
            case when n % 40 < 2 then 'USD' when n % 5 < 3 then 'DEM' else 'TD' end as product_id,
            case when n % 40 < 2 then 'USD' else 'CNY' end as currency_code
        from range({customers} * 5 // 2) as t (n)""",
    "int_position_holders": """select 'account:' || account_id as position_id, customer_id, (case when n % 50 = 3 then 0.6 else 1 end)::decimal(9, 6) as share_fraction,
            date '0001-01-01' as valid_from, date '9999-12-31' as valid_to
        from (select *, account_id[2:]::bigint as n from {int_accounts_latest})
        union all
        select 'account:A' || lpad(n::varchar, 10, '0'), 'C' || lpad(((n + 1) % {customers})::varchar, 10, '0'), 0.4, date '0001-01-01', date '9999-12-31'
        from range(3, {customers} * 5 // 2, 50) as t (n)
        union all
        select 'holding:' || customer_id || ':FUND', customer_id, 1, date '0001-01-01', date '9999-12-31' from {int_customer_spells}
        where customer_id[2:]::bigint % 10 = 0""",
    "stg_core__transactions": """with drawn as (
            select n, case when n % 100 = 7 then 'internal' when n % 50 = 9 then 'conversion' else 'other' end as kind, (hash(n) % ({customers} * 5 // 4))::bigint as pair
            from range({transactions}) as t (n)
        )
        select 'T' || lpad(n::varchar, 12, '0') || side as transaction_id,
            'A' || lpad((2 * pair + side + case when n % 1000 = 1 and kind = 'other' then 1000000000 else 0 end)::varchar, 10, '0') as account_id,
            {day}::timestamp as posted_at, {day} as business_date, (1 + hash(n, 1) % 1000000 / 100.0)::decimal(18, 2) as amount,
            case when pair % 20 = 0 then 'USD' else 'CNY' end as currency_code,
            case when kind <> 'other' then case side when 0 then 'debit' else 'credit' end when hash(n, 2) % 5 = 0 then 'credit' else 'debit' end as direction,
            case kind when 'internal' then case side when 0 then 'transfer_out' else 'transfer_in' end when 'conversion' then 'term_deposit_opening'
                else (['purchase', 'purchase', 'purchase', 'salary', 'fee', 'interest', 'cash_withdrawal'])[(1 + hash(n, 3) % 7)::bigint] end as transaction_type,
            'mobile' as channel, null::varchar as counterparty_name_token, null::varchar as counterparty_institution_id,
            case kind when 'internal' then 'same_bank' when 'conversion' then 'own_account'
                else (['merchant', 'merchant', 'payment_platform', 'payroll', 'fee', 'interest', null])[(1 + hash(n, 3) % 7)::bigint] end as counterparty_type,
            null::boolean as is_own_name,
            case when kind = 'other' and n % 500 = 3 and n >= 500 then 'T' || lpad((n - 500)::varchar, 12, '0') || '0' end as reversal_of
        from drawn cross join (values (0), (1)) as sides (side)
        where side = 0 or kind <> 'other'
        union all
        select 'T_BEFORE', 'A0000000001', {before_end}::timestamp, {before_end}, 1, 'CNY', 'credit', 'salary', 'system', null, null, 'payroll', null, null""",
    # One customer in ten holds a fund, one of these in a hundred buys more of it.
    "stg_wealth__orders": """select 'O' || customer_id as order_id, customer_id, 'FUND' as product_id, {day} as business_date, 'buy' as side, 10::decimal(38, 6) as units,
            25.00::decimal(18, 2) as amount, 'CNY' as currency_code
        from {int_customer_spells} where customer_id[2:]::bigint % 1000 = 0""",
    "int_position_day_ends": """with moved as (
            select 'account:' || account_id as position_id, sum(case direction when 'credit' then amount else -amount end) as moved
            from {stg_core__transactions} where business_date = {day} group by account_id
        ),
        opened as (
            select 'account:' || account_id as position_id, product_id, 'account' as position_kind, currency_code, (hash(account_id) % 10000000 / 100.0)::decimal(18, 2) as opening,
                null::decimal(28, 6) as opening_units, coalesce(moved, 0) as moved, 0 as moved_units
            from {int_accounts_latest} left join moved on moved.position_id = 'account:' || account_id
            union all
            select 'holding:' || holders.customer_id || ':FUND', 'FUND', 'holding', 'CNY', 250.00, 100, coalesce(orders.amount, 0) + 3.21, coalesce(orders.units, 0)
            from {int_position_holders} as holders left join {stg_wealth__orders} as orders using (customer_id) where position_id like 'holding:%'
        ),
        ends as (
            select *, {before} as month, {before_end} as month_end, opening as stated, opening_units as units from opened
            union all
            select *, {month}, {month_end}, opening + moved, opening_units + moved_units from opened
        )
        select position_id, product_id, month, month_end, position_kind, ends.currency_code, greatest(stated, 0)::decimal(18, 2) as observed_amount,
            stated::decimal(18, 2) as stated_amount, units::decimal(28, 6) as units, (greatest(stated, 0)::decimal(18, 2) * rate)::decimal(20, 6) as reporting_amount
        from ends join {int_fx_spans} as fx on fx.currency_code = ends.currency_code and month_end >= valid_from and month_end < valid_to""",
    "int_position_day_spans": """select position_kind, position_id, product_id, currency_code, observed_amount, stated_amount, units, month_end as valid_from,
            month_end + 1 as valid_to from {int_position_day_ends}""",
    "int_customer_family_averages": """select customer_id, month, product_family, sum(reporting_amount * share_fraction)::decimal(18, 2) as eop_amount
        from {int_position_day_ends} join {int_position_holders} using (position_id) join {int_products_latest} using (product_id) group by all""",
    "fct_customer_aum_monthly": """select customer_key, month, product_family, eop_amount from {int_customer_family_averages} join {int_customer_keys} using (customer_id)""",
}  # fmt: skip
CHECKS = {
    "customer months that stay open": "select count(*) from {fct_aum_bridge} where not is_closed or is_closed is null",
    "money that moves within the bank and does not arrive": """select greatest(abs(sum(internal_transfer_amount)) - 0.01 * count(*), 0) from {fct_aum_bridge}
        where internal_transfer_amount <> 0""",
    "transactions that are not shown": """select abs((select count(*) from {stg_core__transactions}) - (select sum(case when share_fraction = 0.4 then 0 else 1 end)
        from {int_transactions_attributed}))""",
    "money that landed and is not shown": """select coalesce(sum(abs(landed.amount - taken.amount)), -1)
        from (select currency_code, sum(case direction when 'credit' then amount else -amount end) as amount from {stg_core__transactions} group by all) as landed
        full join (select currency_code, sum(amount) as amount from {int_customer_flows} where is_transaction group by all) as taken using (currency_code)""",
}  # fmt: skip


def prepare(connection: duckdb.DuckDBPyConnection, models: CompiledModels, transactions: int, customers: int) -> dict:
    """The inputs; returns the relation of each."""
    relations = {name: models.relation(name) for name in (*INPUTS, *TARGETS, *models.by_name)}
    words = {"day": DAY, "month": MONTH, "month_end": MONTH_END, "before": BEFORE, "before_end": BEFORE_END}
    for name, query in INPUTS.items():
        given = query.format(transactions=transactions, customers=customers, **words, **relations)
        connection.execute(f"create table {relations[name]} as {given}")
    return relations


def bridge(models: CompiledModels, transactions: int, customers: int) -> dict:
    """Seconds and peak memory of classifying and bridging; raises AssertionError when a sum is not as by hand."""
    with models.scratch() as connection:
        connection.execute("set threads = 2; set memory_limit = '10GB'; set preserve_insertion_order = false")
        relations = prepare(connection, models, transactions, customers)
        started, worked = time.perf_counter(), time.process_time()
        models.run(connection, TARGETS, tuple(INPUTS))
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - worked
        for what, query in CHECKS.items():
            (found,) = connection.execute(query.format(**relations)).fetchone()
            assert found == 0, f"{what}: {found}"
        counted = {
            name: connection.execute(f"select count(*) from {relations[name]}").fetchone()[0]
            for name in ("stg_core__transactions", *TARGETS)
        }
        reasons = connection.execute(
            f"select correction_reason, sum(transactions)::bigint from {relations['fct_bridge_corrections']} group by 1 order by 1"
        ).fetchall()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    # Of two threads; on cores that others use too, the wall clock says less than the processor's time.
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "peak_gib": round(peak, 2),
        "rows": counted,
        "corrections": dict(reasons),
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flows", description=__doc__.splitlines()[0])
    parser.add_argument("--transactions", type=int, default=2_000_000)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="the best counts, all are kept")
    given = parser.parse_args()
    models = CompiledModels(load_settings().warehouse / "dbt" / "manifest.json")
    rounds = []
    for _ in range(given.rounds):
        rounds.append(bridge(models, given.transactions, given.customers))
        print(
            f"{rounds[-1]['seconds']} s ({rounds[-1]['cpu_seconds']} s of processor), {rounds[-1]['peak_gib']} GiB",
            flush=True,
        )
    best = min(rounds, key=lambda found: found["seconds"])
    result = {
        "customers": given.customers,
        **best,
        "rounds": [(found["seconds"], found["cpu_seconds"]) for found in rounds],
        "most_seconds": MOST_SECONDS,
    }
    print(json.dumps(result, indent=1))
    if given.transactions >= 2_000_000:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    assert best["seconds"] <= MOST_SECONDS, f"{best['seconds']} s, may be {MOST_SECONDS} s"


if __name__ == "__main__":
    main()
