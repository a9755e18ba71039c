"""Twenty questions that dashboards ask the published file, and how long each takes."""

from __future__ import annotations

import statistics
import time

import duckdb

from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings

ROUNDS = 5  # the first one reads from disk and is told apart
MOST_MS = 300
NOW = "known_to = timestamp '9999-12-31'"
LAST = "(select max(month) from marts.fct_customer_tiers_monthly where not is_partial_month)"
ONE = "(select min(customer_key) from marts.fct_customer_tiers_monthly where tier_code = 'private')"
QUESTIONS = {
    "customers by tier and region": "select tier_code, region_code, count(*) from marts.dim_customers where closed_on is null group by all",
    "assets by month and family": "select month, product_family, sum(adb_amount), sum(eop_amount) from marts.fct_customer_aum_monthly group by all order by 1, 2",
    "assets by branch, last month": f"select branch_id, sum(adb_amount) from marts.fct_customer_aum_monthly join marts.dim_customers using (customer_key) where month = {LAST} group by 1",
    "hundred largest customers": f"select customer_key, rating_amount, tier_code from marts.fct_customer_tiers_monthly where month = {LAST} order by rating_amount desc limit 100",
    "qualified customers by month": "select month, count(*), sum(rating_amount) from marts.fct_customer_tiers_monthly where is_qualified group by 1 order by 1",
    "tier movements by month": f"select date_trunc('month', valid_from), movement, count(*) from marts.fct_customer_tier_history where {NOW} group by all",
    "tiers on a day": f"select tier_code, count(*) from marts.fct_customer_tier_history where {NOW} and date '2026-06-10' >= valid_from and date '2026-06-10' < valid_to group by 1",
    "tiers on a day as believed then": "select tier_code, count(*) from marts.fct_customer_tier_history where date '2026-04-10' >= valid_from and date '2026-04-10' < valid_to and timestamp '2026-06-10' >= known_from and timestamp '2026-06-10' < known_to group by 1",
    "tier flows": "select * from marts.fct_tier_flows order by month, tier_code",
    "bridge of the bank by month": "select month, sum(opening_amount), sum(net_new_money_strict_amount), sum(market_movement_amount), sum(fx_movement_amount), sum(income_amount), sum(residual_amount), sum(closing_amount) from marts.fct_aum_bridge group by 1 order by 1",
    "net new money by manager": "select primary_rm_id, sum(net_new_money_strict_amount) from marts.fct_aum_bridge join marts.dim_customers using (customer_key) where month >= date '2026-01-01' group by 1 order by 2 desc limit 50",
    "money flows by use": "select month, flow_class, flow_use, sum(inflow_amount), sum(outflow_amount) from marts.fct_money_flows group by all",
    "where money goes": "select destination_institution_id, sum(outflow_amount), count(distinct customer_key) from marts.fct_competitor_outflows where outflow_date >= date '2026-01-01' group by 1 order by 2 desc limit 20",
    "payment platforms": "select month, platform_id, sum(outflow_amount), sum(estimated_stock_amount) from marts.fct_payment_platform_flows group by all",
    "contribution by tier": f"select tier_code, sum(contribution_full_amount), avg(contribution_avoidable_amount) from marts.fct_customer_contributions join marts.fct_customer_tiers_monthly using (customer_key, month) where month = {LAST} group by 1",
    "loss makers by reason": f"select reason_code, count(*), sum(contribution_avoidable_amount) from marts.fct_loss_making_customers where month = {LAST} group by 1",
    "value by class": f"select value_class, count(*), sum(lifetime_value) from marts.fct_customer_values where month = {LAST} group by 1",
    "churn by month": "select month, count(*) filter (is_closed), count(*) filter (is_value_churn), count(*) filter (is_silent_churn), sum(value_lost_amount) from marts.fct_customer_churn group by 1 order by 1",
    "one customer's months": f"select t.*, c.contribution_full_amount, b.closing_amount from marts.fct_customer_tiers_monthly as t left join marts.fct_customer_contributions as c using (customer_key, month) left join marts.fct_aum_bridge as b using (customer_key, month) where t.customer_key = {ONE} order by month",
    "near the next tier, by manager": f"select primary_rm_id, count(*), sum(gap_amount) from marts.fct_near_threshold_customers where month = {LAST} and side = 'below' group by 1 order by 2 desc",
}  # fmt: skip


def time_dashboards(settings: Settings) -> dict:
    """Milliseconds of every question: the 95th percentile of all asked again, the slowest, and the same the first time."""
    live = versions.live_version(settings)
    first, again, empty = {}, {}, []
    with duckdb.connect(str(settings.published / live["file"]), read_only=True) as connection:
        connection.execute("set threads = 2")
        for name, question in QUESTIONS.items():
            times = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                rows = connection.execute(question).fetchall()
                times.append(1000 * (time.perf_counter() - began))
            first[name], again[name] = times[0], times[1:]
            empty += [] if rows else [name]
    asked_again = [milliseconds for times in again.values() for milliseconds in times]
    slowest = sorted(((statistics.median(times), name) for name, times in again.items()), reverse=True)
    return {
        "questions": len(QUESTIONS),
        "empty": empty,
        "p95_ms": round(_percentile_95(asked_again), 1),
        "median_ms": round(statistics.median(asked_again), 1),
        "first_time_p95_ms": round(_percentile_95(list(first.values())), 1),
        "slowest": [(round(milliseconds, 1), name) for milliseconds, name in slowest[:5]],
    }


def _percentile_95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]
