"""The reference bank's marts equal a second working-out, by day and by definition: every row, to the cent."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise

import duckdb
import pytest
from recomputation import KEYS, Recomputed, built_classes, classify, read_reference_bank, recompute, rounded

LAST = date(2026, 6, 30)


@pytest.fixture(scope="module")
def reference(reference_run) -> Recomputed:
    return recompute(read_reference_bank(reference_run.settings.source_root, LAST), reference_run)


def test_every_published_mart_is_recomputed(reference: Recomputed) -> None:
    with duckdb.connect(str(reference.run.published_file), read_only=True) as connection:
        tables = connection.execute("select table_name from information_schema.tables where table_schema = 'marts'")
        assert {name for (name,) in tables.fetchall()} == set(KEYS) == set(reference.marts)


def test_average_and_closing_amounts_are_the_days_added_up(reference: Recomputed) -> None:
    reference.assert_equal("fct_customer_aum_monthly")


def test_a_months_tier_follows_from_the_sum_of_its_family_averages(reference: Recomputed) -> None:
    reference.assert_equal("fct_customer_tiers_monthly")


def test_tier_intervals_follow_from_openings_ratings_exits_and_returns(reference: Recomputed) -> None:
    reference.assert_equal("fct_customer_tier_history")


@pytest.mark.parametrize(
    "part",
    [
        "net_interest_deposits_amount",
        "net_interest_loans_amount",
        "fee_income_amount",
        "expected_loss_amount",
        "cost_to_serve_full_amount",
        "cost_to_serve_avoidable_amount",
        "perks_amount",
    ],
)
def test_each_part_of_a_contribution_is_rounded_once_from_its_days_and_units(reference: Recomputed, part: str) -> None:
    reference.assert_equal("fct_customer_contributions", [part])


def test_customers_and_ledger_of_each_month_line_branch_and_currency_follow_from_the_extracts(
    reference: Recomputed,
) -> None:
    reference.assert_equal("fct_ledger_reconciliation")
    rows = reference.marts["fct_ledger_reconciliation"]
    assert all(row["is_reconciled"] for row in rows.values())
    assert {currency for *_, currency in rows} == {"CNY", "USD"}
    # What belongs to no customer is there in a line of its own, and within lines.
    assert {row["reconciled_with"] for row in rows.values() if row["unallocated_amount"]} > {"no_customer"}
    assert reference.published("fct_contribution_gaps") == {}


def test_costs_by_channel_and_what_moved_between_channels_follow_from_the_work_done(reference: Recomputed) -> None:
    reference.assert_equal("fct_costs_to_serve")
    moved = [row["migration_saving_amount"] for row in reference.marts["fct_costs_to_serve"].values()]
    assert any(saving and saving > 0 for saving in moved) and any(saving and saving < 0 for saving in moved)


def test_loss_makers_and_their_reasons_follow_from_six_months_and_profitable_peers(reference: Recomputed) -> None:
    reference.assert_equal("fct_loss_making_customers")
    reasons = Counter(row["reason_code"] for row in reference.marts["fct_loss_making_customers"].values())
    assert {"rate", "balance", "channel_mix", "waiver"} < set(reasons)


def test_contribution_rank_and_over_service_follow_from_the_parts(reference: Recomputed) -> None:
    reference.assert_equal("fct_customer_contributions")


@pytest.mark.parametrize(
    "mart",
    [
        "fct_tier_flows",
        "fct_tier_migration",
        "fct_growth_mismatch",
        "fct_near_threshold_customers",
        "fct_propensity_backtests",
        "fct_tier_band_stability",
        "fct_window_dressing",
        "fct_customer_values",
        "fct_value_concentration",
        "fct_value_backtests",
        "fct_money_flows",
        "fct_payment_platform_flows",
        "fct_competitor_outflows",
        "fct_unmapped_counterparties",
        "fct_data_completeness",
        "fct_customer_churn",
        "fct_customer_lifecycle_history",
    ],
)
def test_tier_value_and_flow_marts_follow_customer_by_customer(reference: Recomputed, mart: str) -> None:
    reference.assert_equal(mart)


def test_what_the_landing_gate_said_is_told_rule_by_rule(reference: Recomputed) -> None:
    reference.assert_equal("fct_quality_results")
    assert {gate for _, gate, _ in reference.marts["fct_quality_results"]} == {"landing"}


@pytest.mark.parametrize("mart", sorted(mart for mart in KEYS if mart.startswith("dim_")))
def test_dimensions_are_the_latest_deliveries_and_the_policy_files(reference: Recomputed, mart: str) -> None:
    reference.assert_equal(mart)


def test_the_data_reaches_the_cases_the_definitions_speak_of(reference: Recomputed) -> None:
    """Equality proves a rule only where some row depends on it."""
    bank, history = reference.bank, reference.marts["fct_customer_tier_history"]
    assert {row["reason"] for row in history.values()} == {
        "account_opened",
        "history_begins",
        "rating_reached_threshold",
        "rating_below_threshold",
        "relationship_closed",
        "returned",
    }
    assert Counter(len(spells) for spells in bank.spells.values())[2] == 1
    assert len({known for _, _, known in history}) > 1
    assert any(position.currency != "CNY" for position in bank.positions)
    assert any(len(position.holders) > 1 for position in bank.positions)
    bands = {row["stability_band"] for row in reference.marts["fct_customer_tiers_monthly"].values()}
    assert bands == {"volatile", "stable", None}
    flows = reference.marts["fct_tier_flows"].values()
    for entry in ("opened", "opened_history_begins", "up_in", "up_out", "down_in", "down_out", "won_back", "exited"):
        assert any(row[entry] for row in flows), entry
    near = reference.marts["fct_near_threshold_customers"]
    assert {(side, row["has_crossed"]) for (_, _, side), row in near.items()} == {
        (side, crossed) for side in ("below", "above") for crossed in (True, False, None)
    }
    for driver in ("crossing_propensity", "maturing_90d_amount", "payroll_amount", "primary_rm_id"):
        assert any(row[driver] for row in near.values()), driver
    dressing = reference.marts["fct_window_dressing"]
    assert {level for _, level, _ in dressing} == {"customer", "rm", "branch"}
    assert {row["reversed_within_5d"] for row in dressing.values()} == {True, False, None}
    assert {row["is_flagged"] for row in dressing.values()} == {True, False, None}
    values = reference.marts["fct_customer_values"].values()
    for column, reached in (
        ("wealth_stock_source", {"own", "declared", "peer_quantile", None}),
        ("pyramid_level", {"platinum", "gold", "iron", "lead", None}),
        ("value_class", {"most_valuable", "most_growable", "ordinary", "prospect", None}),
        ("is_partial", {True, False}),
        ("has_left", {True, False}),
    ):
        assert {row[column] for row in values} == reached, column
    assert {row["growth_value"] > 0 for row in values if row["growth_value"]} == {True, False}
    assert {row["horizon_assets_amount"] == row["wealth_stock_amount"] for row in values} == {True, False}
    assert {model for _, _, model, _ in reference.marts["fct_value_backtests"]} == {
        "lifetime_value", "last_year_repeats", "components_persist", "markov_chain",
    }  # fmt: skip
    platforms = reference.marts["fct_payment_platform_flows"]
    assert {platform for _, _, platform in platforms} == {"PP01", "PP02", "PP03", "unmapped"}
    for column in ("inflow_amount", "top_up_amount", "money_fund_amount", "estimated_stock_amount", "unmapped_share"):
        assert {bool(row[column]) for row in platforms.values()} == {True, False}, column
    assert any(row["estimated_stock_amount"] and not row["total_outflow_amount"] for row in platforms.values())
    assert {row["visible_merchant_share"] for row in platforms.values()} > {None, Decimal(0), Decimal(1)}
    outflows = reference.marts["fct_competitor_outflows"]
    assert {kind for _, _, kind, _ in outflows} == {"other_bank", "broker", "online_lender"}
    poaching = {(row["is_poaching"], row["starts_poaching"]) for row in outflows.values()}
    assert poaching == {(True, True), (True, False), (False, False), (None, None)}
    assert any(row["net_outflow_30d_amount"] < 0 for row in outflows.values())
    churn = reference.marts["fct_customer_churn"].values()
    for flag in ("is_value_churn", "is_silent_churn", "is_silent_90d", "is_tier_churn"):
        assert {row[flag] for row in churn} == {True, False, None}, flag
    assert {row["is_reopened"] for row in churn if row["is_closed"]} == {False, None}
    assert {row["is_closed"] for row in churn} == {row["is_censored"] for row in churn} == {True, False}
    lifecycle = reference.marts["fct_customer_lifecycle_history"].values()
    assert {row["state"] for row in lifecycle} == {
        *("prospect", "onboarding", "growing", "mature", "declining", "dormant", "lost", "won_back")
    }
    parts = reference.marts["fct_customer_contributions"].values()
    assert all(any(row[part] for row in parts) for part in ("perks_amount", "expected_loss_amount", "is_over_served"))
    intervals = defaultdict(list)
    for (customer, _), row in sorted(reference.marts["dim_customers_history"].items()):
        intervals[customer].append(row)
    changed = Counter(
        column
        for rows in intervals.values()
        for one, after in pairwise(rows)
        for column in one
        if one[column] != after[column]
    )
    for column in ("tier_code", "age_band", "is_founder_generation", "risk_rating", "primary_rm_id", "closed_on"):
        assert changed[column], column
    assert any(row["is_merged_record"] for rows in intervals.values() for row in rows)


def test_every_months_assets_are_explained_by_postings_orders_rates_and_prices(reference: Recomputed) -> None:
    reference.assert_equal("fct_aum_bridge")
    reference.assert_equal("fct_bridge_corrections")
    rows = reference.marts["fct_aum_bridge"].values()
    assert all(row["is_closed"] and abs(row["residual_amount"]) <= Decimal("0.05") for row in rows)
    for column in ("market_movement_amount", "fx_movement_amount", "internal_transfer_amount", "converted_amount"):
        assert any(row[column] for row in rows), column


def test_each_transaction_is_what_the_policy_of_its_day_takes_it_for(reference: Recomputed) -> None:
    classes = classify(reference.bank)
    assert built_classes(reference.run) == classes
    assert {classed.flow_class for classed in classes.values()} == {"external", "income", "fee", "conversion"}


def test_halves_are_rounded_away_from_zero() -> None:
    assert [rounded(Decimal(value), 2) for value in ("0.005", "-0.005", "0.0049999", "1.015")] == [
        Decimal("0.01"),
        Decimal("-0.01"),
        Decimal("0.00"),
        Decimal("1.02"),
    ]
