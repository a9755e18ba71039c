"""The real bank as of 2014-03-30: its marts equal a second working-out, and nothing of its future is known."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest
from recomputation import KEYS, Recomputed, eagle_transactions, read_eagle_bank, recompute

AS_OF = date(2014, 3, 30)
RECEIVED = datetime(2014, 3, 31, 0, 0)  # 02:00 in Prague, already summer time
OPEN_ENDS = {date(9999, 12, 31), datetime(9999, 12, 31)}

pytestmark = pytest.mark.eagle


@pytest.fixture(scope="module")
def eagle(eagle_run) -> Recomputed:
    return recompute(read_eagle_bank(eagle_run.settings.source_root, AS_OF), eagle_run)


@pytest.fixture(scope="module")
def staging(eagle_run):
    with duckdb.connect(str(eagle_run.warehouse_file), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("mart", KEYS)
def test_every_row_of_every_mart_follows_from_the_bank_s_files(eagle: Recomputed, mart: str) -> None:
    eagle.assert_equal(mart)


def test_parts_whose_source_the_bank_does_not_provide_are_null_and_never_zero(eagle: Recomputed) -> None:
    provided = {"fee_income_amount", "is_partial_month"}
    rows = eagle.published("fct_customer_contributions").values()
    assert rows and all((row[column] is not None) == (column in provided) for row in rows for column in row)


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
    """Open ends and the moment of receipt excepted."""
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
