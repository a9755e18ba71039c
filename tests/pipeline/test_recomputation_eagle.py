"""The real bank as of 2014-03-30: its marts equal a second working-out, and nothing of its future is known."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from recomputation import KEYS, Recomputed, built_classes, classify, eagle_transactions, read_eagle_bank, recompute

AS_OF = date(2014, 3, 30)
RECEIVED = datetime(2014, 3, 31, 0, 0)  # 02:00 in Prague, already summer time
OPEN_ENDS = {date(9999, 12, 31), datetime(9999, 12, 31)}

DARK_OR_EMPTY = {"fct_tier_band_stability", "fct_ledger_reconciliation", "fct_contribution_gaps"}
DARK_OR_EMPTY |= {"fct_costs_to_serve", "fct_loss_making_customers", "fct_value_backtests"}
DARK_OR_EMPTY |= {"fct_payment_platform_flows"}

pytestmark = pytest.mark.eagle


@pytest.fixture(scope="module")
def eagle(eagle_run) -> Recomputed:
    return recompute(read_eagle_bank(eagle_run.settings.source_root, AS_OF), eagle_run)


@pytest.fixture(scope="module")
def staging(eagle_run):
    with duckdb.connect(str(eagle_run.warehouse_file), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("mart", [mart for mart in KEYS if mart not in DARK_OR_EMPTY])
def test_every_row_of_every_mart_follows_from_the_bank_s_files(eagle: Recomputed, mart: str) -> None:
    eagle.assert_equal(mart)


def test_each_transaction_is_what_the_policy_of_its_day_takes_it_for(eagle: Recomputed) -> None:
    classes = classify(eagle.bank)
    assert built_classes(eagle.run) == classes
    assert {classed.flow_class for classed in classes.values()} == {"external", "income", "fee"}


def test_the_real_banks_assets_are_explained_to_the_last_crown(eagle: Recomputed) -> None:
    """Its balances are the sum of its transactions; what an overdraft took came off no assets."""
    rows = eagle.published("fct_aum_bridge").values()
    assert rows and not any(row["residual_amount"] or row["market_movement_amount"] for row in rows)
    reasons = Counter(reason for _, _, reason, _ in eagle.published("fct_bridge_corrections"))
    assert reasons == {"before_bridge": 96, "overdraft": 28}


def test_a_ladder_without_private_banking_has_no_bands_and_coverage_says_so(eagle: Recomputed, eagle_run) -> None:
    assert eagle.published("fct_tier_band_stability") == eagle.marts["fct_tier_band_stability"] == {}
    told = eagle_run.summary["results"]["build"]["coverage"]["fct_tier_band_stability"]
    assert told["coverage"] == "dark" and "policy: private_banking" in told["missing"]


def test_a_bank_without_a_ledger_reconciles_nothing_and_misses_nothing(eagle: Recomputed, eagle_run) -> None:
    assert eagle.published("fct_ledger_reconciliation") == eagle.published("fct_contribution_gaps") == {}
    told = eagle_run.summary["results"]["build"]["coverage"]["fct_ledger_reconciliation"]
    assert told["coverage"] == "dark" and "finance__ledger_balances" in told["missing"]


def test_a_bank_without_prices_of_work_and_money_knows_no_costs_and_no_loss_makers(
    eagle: Recomputed, eagle_run
) -> None:
    for mart in ("fct_costs_to_serve", "fct_loss_making_customers"):
        assert eagle.published(mart) == eagle.marts[mart] == {}
        told = eagle_run.summary["results"]["build"]["coverage"][mart]
        assert told["coverage"] == "dark" and "finance__unit_costs" in told["missing"]


def test_a_bank_that_says_nothing_of_platforms_or_own_names_shows_transfers_to_banks_and_calls_none_poaching(
    eagle: Recomputed, eagle_run, staging
) -> None:
    assert eagle.published("fct_payment_platform_flows") == eagle.marts["fct_payment_platform_flows"] == {}
    told = eagle_run.summary["results"]["build"]["coverage"]["fct_payment_platform_flows"]
    assert told["coverage"] == "dark" and "policy: payment_platforms" in told["missing"]
    outflows = eagle.published("fct_competitor_outflows")
    assert (
        {row["is_poaching"] for row in outflows.values()} == {row["is_own_name"] for row in outflows.values()} == {None}
    )
    codes = {destination for _, destination, _, _ in outflows}
    assert len(codes) == 13 and all(len(code) == 2 for code in codes)
    # All of them are to be mapped; plain account numbers stay out.
    assert {code for _, _, code in eagle.published("fct_unmapped_counterparties")} == codes
    assert staging.execute("select count(counterparty_name_token) from staging.stg_core__transactions").fetchone() == (
        0,
    )


def test_drivers_that_the_bank_cannot_tell_are_null(eagle: Recomputed) -> None:
    rows = eagle.published("fct_near_threshold_customers").values()
    assert {row[driver] for row in rows for driver in ("maturing_90d_amount", "payroll_amount", "primary_rm_id")} == {
        None
    }
    assert any(row["assets_change_3m_amount"] for row in rows)
    assert {level for _, level, _ in eagle.published("fct_window_dressing")} == {"customer", "branch"}


def test_parts_whose_source_the_bank_does_not_provide_are_null_and_never_zero(eagle: Recomputed) -> None:
    provided = {"fee_income_amount", "is_partial_month", "unavailable_reason"}
    rows = eagle.published("fct_customer_contributions").values()
    assert rows and all((row[column] is not None) == (column in provided) for row in rows for column in row)


def test_value_without_its_sources_is_null_and_what_needs_none_is_there(eagle: Recomputed, eagle_run) -> None:
    rows = eagle.published("fct_customer_values").values()
    assert {row[column] for row in rows for column in row if column.endswith("_value")} == {None}
    assert rows and {row["pyramid_level"] for row in rows} == {row["value_class"] for row in rows} == {None}
    # The bank tells of nobody who left: that is not a bank that nobody leaves.
    assert {row["retention_12m"] for row in rows} == {None} and all(row["wealth_stock_source"] for row in rows)
    assert {row["is_by_cell_alone"] for row in rows} == {True, False}
    assert {measure for _, measure, _ in eagle.published("fct_value_concentration")} == {"aum"}
    assert eagle.published("fct_value_backtests") == eagle.marts["fct_value_backtests"] == {}
    assert eagle_run.summary["results"]["build"]["coverage"]["fct_value_backtests"]["coverage"] == "dark"


def test_churn_says_nothing_of_closings_and_causes_that_the_bank_never_tells(eagle: Recomputed) -> None:
    rows = eagle.published("fct_customer_churn").values()
    assert {row["is_closed"] for row in rows} == {row["is_involuntary"] for row in rows} == {None}
    for flag in ("is_value_churn", "is_tier_churn"):
        assert {row[flag] for row in rows} == {True, False, None}, flag
    assert {row["is_silent_churn"] for row in rows} == {True, False}
    # The month in progress tells of no one yet.
    assert {key[1] for key, row in eagle.published("fct_customer_churn").items() if row["is_censored"]} == {
        date(2014, 3, 1)
    }
    states = {row["state"] for row in eagle.published("fct_customer_lifecycle_history").values()}
    assert states == {"onboarding", "growing", "mature", "declining", "dormant"}


# The spec says 38 loans; 37 are dated up to 2014-03-30, in the re-dated files and in the original ones alike.
@pytest.mark.parametrize(("table", "count"), [("accounts", 1229), ("loans", 37), ("cards", 6)])
def test_the_bank_has_what_it_had_opened_by_the_business_date(staging, table: str, count: int) -> None:
    assert staging.execute(f"select count(*) from staging.stg_core__{table}").fetchone() == (count,)


def test_original_and_redated_files_agree_on_the_loans_opened_by_then(eagle: Recomputed) -> None:
    data = eagle.run.settings.source_root
    original = [line.split(";")[2] for line in (data / "berka" / "loan.asc").read_text("ascii").splitlines()[1:]]
    redated = (data / "eagle_bank_crm" / "completedloan.csv").read_text("utf-8").splitlines()
    column = redated[0].split(",").index("fulldate")
    assert sum(day <= "940330" for day in original) == 37
    assert sum(line.split(",")[column] <= "2014-03-30" for line in redated[1:]) == 37


def test_nothing_in_any_mart_is_dated_after_the_business_date(eagle_run) -> None:
    """Open ends, the moment of receipt and when the run itself began excepted."""
    with duckdb.connect(str(eagle_run.published_file), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema = 'marts' and (data_type = 'DATE' or data_type like 'TIMESTAMP%')"
        ).fetchall()
        latest = {}
        for table, column, data_type in columns:
            open_end = f"{'date' if data_type == 'DATE' else 'timestamp'} '9999-12-31'"
            (latest[table, column],) = connection.execute(
                f"select max({column}) from marts.{table} where {column} <> {open_end}"
            ).fetchone()
    assert latest.pop(("fct_customer_tier_history", "known_from")) == RECEIVED
    assert latest.pop(("fct_quality_results", "run_started_at")).date() >= date(2026, 1, 1)
    assert len(latest) > 10
    late = {
        place: value
        for place, value in latest.items()
        if value is not None and (value.date() if isinstance(value, datetime) else value) > AS_OF
    }
    assert not late


def test_day_end_balances_are_the_running_sum_of_all_transactions_so_far(eagle: Recomputed, staging) -> None:
    moved = eagle_transactions(eagle.run.settings.source_root, AS_OF)
    cents = moved.assign(cents=(moved.signed * 100).astype("int64"))
    nets = cents.groupby(["account_id", "day"], sort=True).cents.sum()
    running_sums = nets.groupby(level="account_id").cumsum().to_dict()
    rows = staging.execute("select account_id, business_date, balance_amount from staging.stg_core__balances")
    balances = {(account, day): int(amount * 100) for account, day, amount in rows.fetchall()}
    assert len(balances) == len(running_sums) == 38_821
    assert balances == running_sums


def test_a_service_request_is_a_complaint_or_a_call_that_names_none(eagle_run, staging) -> None:
    """Both files read again, as text: a complaint's call adds its priority, a call with an id and no complaint is its own."""
    folder = eagle_run.settings.source_root / "eagle_bank_crm"
    complaints, calls = (
        pd.read_csv(folder / name, dtype=str, encoding="utf-8-sig")
        for name in ("crm_events.csv", "CRM Call Center Logs.csv")
    )
    received = pd.to_datetime(complaints.date_received, format="%d-%m-%Y").dt.date
    known = complaints[received <= AS_OF]
    sent = pd.to_datetime(known.date_sent_to_company, format="%d-%m-%Y").dt.date
    acknowledged = (sent >= received[received <= AS_OF]) & (sent <= AS_OF)
    priorities = calls.dropna(subset="Complaint ID").set_index("Complaint ID").priority
    expected = {
        (
            row.complaint_id,
            f"C{row.client_id.zfill(8)}",
            True,
            priorities.get(row.complaint_id),
            day if is_known else None,
        )
        for row, day, is_known in zip(known.itertuples(), sent, acknowledged, strict=True)
    }
    own = calls[calls.call_id.notna() & calls["Complaint ID"].isna() & (calls.outcome != "PHANTOM")]
    own = own[pd.to_datetime(own["Date received"]).dt.date <= AS_OF]
    expected |= {
        (f"CALL-{row.call_id}", None, False, row.priority, date.fromisoformat(day) if row.outcome == "AGENT" else None)
        for row, day in zip(own.itertuples(), own["Date received"], strict=True)
    }
    rows = staging.execute(
        "select request_id, customer_id, is_complaint, priority, cast(acknowledged_at as date)"
        " from staging.stg_crm__service_requests"
    ).fetchall()
    assert (len(known), len(own)) == (8_916, 84)
    assert len(rows) == len(expected)
    assert set(rows) == expected


def test_a_call_is_dated_in_utc_and_never_ends_before_it_begins(staging) -> None:
    """The first is of 15:48:53 on 2013-01-01 in Prague, an hour earlier in UTC; one that was hung up was never answered."""
    opened, acknowledged, resolved = staging.execute(
        "select min(opened_at), count(acknowledged_at), count(*) filter (resolved_at >= opened_at)"
        " from staging.stg_crm__service_requests where not is_complaint"
    ).fetchone()
    assert opened == datetime(2013, 1, 1, 14, 48, 53)
    assert acknowledged == resolved == 17


def test_the_report_says_which_canonical_tables_the_bank_does_not_provide(eagle_run) -> None:
    """Standing orders are no orders of wealth products: there are none."""
    tables = eagle_run.summary["results"]["build"]["canonical_tables"]
    assert {table for table, is_provided in tables.items() if is_provided} == {
        *("core__account_holders", "core__accounts", "core__balances", "core__cards", "core__customers", "core__fees"),
        *("core__loans", "core__transactions", "crm__service_requests", "reference__branches", "reference__fx_rates"),
        "wealth__products",
    }
    missing = {"wealth__orders", "wealth__navs", "crm__surveys", "crm__campaigns", "reference__market_series"}
    assert missing <= set(tables) - {table for table, is_provided in tables.items() if is_provided}
    page = Path(eagle_run.summary["report"]).read_text(encoding="utf-8")
    assert "12 / 31" in page and all(table in page for table in missing)
