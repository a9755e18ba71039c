"""The bank keeps its own books: every balance follows from its postings, the ledger from the accounts."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from simulated_files import DELIVERIES, INITIAL, LAST, SIMULATION, fen


@pytest.fixture(scope="module")
def daily(everything: dict) -> pd.DataFrame:
    """Net postings in fen: accounts x every calendar day of the window."""
    transactions = everything["core.transactions"]
    net = fen(transactions["amount"]).groupby([transactions["account_id"], transactions["transaction_date"]]).sum()
    days = [str(day) for day in np.arange(SIMULATION.history_from, LAST + timedelta(1), dtype="datetime64[D]")]
    accounts = everything["core.accounts"]["account_id"]
    return net.unstack(fill_value=0).reindex(index=accounts, columns=days, fill_value=0)


@pytest.fixture(scope="module")
def paths(everything: dict, daily: pd.DataFrame) -> pd.DataFrame:
    """End-of-day balances in fen that the postings imply, anchored at the first month end an account shows."""
    ends = everything["core.balances"].query("balance_basis == 'end_of_day'")
    first = ends.sort_values("balance_date", kind="stable").groupby("account_id").first()
    running = daily.cumsum(axis=1)
    anchor = {
        account: amount - running.at[account, day]
        for account, day, amount in zip(first.index, first["balance_date"], fen(first["balance_amount"]), strict=True)
    }
    # An account that closed before any month end shows no balance, but ended with nothing.
    anchors = pd.Series(anchor).reindex(running.index).fillna(-running[str(LAST)]).astype("int64")
    return running.add(anchors, axis=0)


def test_every_end_of_day_balance_follows_from_the_postings(everything: dict, paths: pd.DataFrame) -> None:
    ends = everything["core.balances"].query("balance_basis == 'end_of_day'")
    implied = paths.stack().reindex(pd.MultiIndex.from_frame(ends[["account_id", "balance_date"]]))
    assert (implied.to_numpy() == fen(ends["balance_amount"]).to_numpy()).all()


def test_monthly_averages_are_the_mean_over_all_calendar_days(everything: dict, paths: pd.DataFrame) -> None:
    averages = everything["core.balances"].query("balance_basis == 'monthly_average'")
    assert averages["balance_date"].nunique() == 24
    opened = everything["core.accounts"].set_index("account_id")["opened_on"]
    for month_end, rows in averages.groupby("balance_date"):
        days = [day for day in paths.columns if day[:7] == month_end[:7]]
        path = paths.loc[rows["account_id"], days].to_numpy()
        lived = np.array(days)[None, :] >= opened[rows["account_id"]].to_numpy(dtype=str)[:, None]
        total, length = (path * lived).sum(axis=1), len(days)
        assert ((2 * total + length) // (2 * length) == fen(rows["balance_amount"]).to_numpy()).all(), month_end


def test_no_account_moves_before_it_opens_or_after_it_closes_or_falls_below_zero(everything, daily, paths) -> None:
    days = np.array(daily.columns)
    accounts = everything["core.accounts"]
    opened = accounts["opened_on"].to_numpy(dtype=str)[:, None]
    closed = accounts["closed_on"].fillna("9999-12-31").to_numpy(dtype=str)[:, None]
    assert not daily.to_numpy()[(days < opened) | (days > closed)].any()
    assert not paths.to_numpy()[(days < opened) | (days >= closed)].any()
    assert paths.to_numpy().min() >= 0


def test_every_open_account_has_a_balance_and_a_closed_one_a_last_zero(frames: dict) -> None:
    before = INITIAL
    for day in DELIVERIES[1:]:
        accounts, balances = frames["core.accounts"][day], frames["core.balances"][day]
        closed = accounts["closed_on"].fillna("9999-12-31")
        assert set(balances["account_id"]) == set(accounts.loc[closed > str(before), "account_id"]), day
        assert set(balances["balance_date"]) == {str(day)}
        gone = accounts.loc[(closed > str(before)) & (closed <= str(day)), "account_id"]
        assert (balances.set_index("account_id").loc[gone, "balance_amount"] == "0.00").all()
        before = day


def test_events_of_closed_days_come_with_the_next_business_day(frames: dict) -> None:
    before = None
    for day in DELIVERIES:
        seen = frames["core.transactions"][day]["transaction_date"]
        assert seen.max() <= str(day) and (before is None or seen.min() > str(before))
        before = day
    monday = set(frames["core.transactions"][date(2026, 6, 8)]["transaction_date"])
    assert monday == {"2026-06-06", "2026-06-07", "2026-06-08"}


def test_transactions_are_posted_on_their_local_day_and_signed_as_they_say(everything: dict) -> None:
    transactions = everything["core.transactions"]
    local = pd.to_datetime(transactions["posted_at"]) + pd.Timedelta(hours=8)
    assert (local.dt.strftime("%Y-%m-%d") == transactions["transaction_date"]).all()
    assert ((fen(transactions["amount"]) < 0) == (transactions["direction"] == "debit")).all()
    assert not (fen(transactions["amount"]) == 0).any()
    assert set(transactions["counterparty_type"].dropna()) >= {
        "payroll",
        "payment_platform",
        "interest",
        "broker",
        "fee",
    }


def test_a_reversal_undoes_an_earlier_transaction_of_the_same_account(everything: dict) -> None:
    transactions = everything["core.transactions"].set_index("transaction_id")
    reversals = transactions[transactions["reversal_of"].notna()]
    originals = transactions.loc[reversals["reversal_of"]]
    assert len(reversals) > 0 and (originals["account_id"].to_numpy() == reversals["account_id"].to_numpy()).all()
    assert (fen(originals["amount"]).to_numpy() == -fen(reversals["amount"]).to_numpy()).all()
    assert (originals["posted_at"].to_numpy() < reversals["posted_at"].to_numpy()).all()


def test_a_fee_is_debited_when_charged_and_has_a_reason_when_waived(everything: dict) -> None:
    fees, transactions = everything["core.fees"], everything["core.transactions"].query("transaction_type == 'fee'")
    assert ((fen(fees["charged_amount"]) == 0) == fees["waiver_reason"].notna()).all()
    charged = fees[fees["waiver_reason"].isna()]
    debits = zip(
        transactions["account_id"], transactions["transaction_date"], -fen(transactions["amount"]), strict=True
    )
    assert sorted(
        zip(charged["account_id"], charged["fee_date"], fen(charged["charged_amount"]), strict=True)
    ) == sorted(debits)


def test_shares_of_every_account_sum_to_one_and_the_owner_is_among_them(frames: dict) -> None:
    for day in DELIVERIES:
        holders, accounts = frames["core.account_holders"][day], frames["core.accounts"][day]
        shares = holders["share_fraction"].map(Decimal).groupby(holders["account_id"]).sum()
        assert set(shares.index) == set(accounts["account_id"]) and (shares == 1).all()
        owners = holders.query("holder_role == 'owner'").set_index("account_id")["customer_id"]
        assert (owners.loc[accounts["account_id"]].to_numpy() == accounts["customer_id"].to_numpy()).all()
    assert (holders["holder_role"] == "joint").mean() > 0.02


def test_daily_holdings_are_units_at_one_price_and_end_with_a_zero_row(everything: dict) -> None:
    holdings = everything["wealth.holdings"]
    ends = holdings.query("balance_basis == 'end_of_day'")
    units, value = ends["units"].astype(float), ends["market_value_amount"].astype(float)
    held = ends[units * value > 100_000]
    price = (held["market_value_amount"].astype(float) / held["units"].astype(float)).groupby(
        [held["product_id"], held["holding_date"]]
    )
    assert (price.max() / price.min() - 1 < 1e-3).all()
    assert ((units > 0) | (value == 0)).all()
    june = ends[ends["holding_date"] >= str(INITIAL)].assign(zero=units == 0)
    last = june.sort_values("holding_date").groupby(["customer_id", "product_id"]).last()
    assert (last["zero"] | (last["holding_date"] == str(LAST))).all()
    assert holdings.query("balance_basis == 'monthly_average'")["units"].isna().all()


def test_loans_shrink_and_stay_within_their_principal(everything: dict) -> None:
    loans = everything["core.loans"].sort_values(["loan_id", "loan_date"])
    owed = fen(loans["outstanding_amount"])
    assert (owed <= fen(loans["principal_amount"])).all() and (owed > 0).all()
    assert (owed.groupby(loans["loan_id"]).diff().dropna() <= 0).all()
    assert (loans["opened_on"] <= loans["loan_date"]).all() and (loans["loan_date"] < loans["matures_on"]).all()
    assert (loans["days_past_due"] != "0").any()


def test_the_ledger_is_the_sum_of_the_accounts_by_line_branch_and_currency(everything: dict) -> None:
    accounts = everything["core.accounts"].set_index("account_id")
    ends = everything["core.balances"].query("balance_basis == 'end_of_day'")
    lines = {"DEM": "2011", "TD": "2012", "SD": "2013", "CD": "2014"}
    deposits = pd.DataFrame({
        "day": ends["balance_date"], "line": accounts.loc[ends["account_id"], "product_id"].str.split("-").str[0].map(lines).to_numpy(),
        "branch": accounts.loc[ends["account_id"], "branch_id"].to_numpy(), "currency": ends["currency_code"],
        "fen": fen(ends["balance_amount"]),
    })  # fmt: skip
    branch = everything["core.customers"].set_index("customer_id")["branch_id"]
    owed = everything["core.loans"].query("loan_date >= @first", local_dict={"first": str(SIMULATION.history_from)})
    loans = pd.DataFrame({
        "day": owed["loan_date"],
        "line": owed["product_id"].map({"LN-MTG": "1301", "LN-CON": "1302", "LN-OPR": "1303"}),
        "branch": branch[owed["customer_id"]].to_numpy(), "currency": owed["currency_code"],
        "fen": fen(owed["outstanding_amount"]),
    })  # fmt: skip
    summed = pd.concat([deposits, loans]).groupby(["day", "line", "branch", "currency"])["fen"].sum()
    ledger = everything["finance.ledger_balances"]
    keys = ["ledger_date", "ledger_code", "branch_id", "currency_code"]
    booked = ledger.assign(fen=fen(ledger["balance_amount"])).set_index(keys)["fen"]
    codes = booked.index.get_level_values("ledger_code")
    customers = booked[~codes.isin(["1304", "2241"]) & ~codes.str.startswith("6")]
    assert customers.sort_index().to_dict() == summed.sort_index().to_dict()
    assert (booked.xs("2241", level="ledger_code") >= 0).all(), "the suspense line belongs to no customer"


def test_profit_and_loss_grows_within_a_year_and_begins_again_in_january(everything: dict) -> None:
    ledger = everything["finance.ledger_balances"]
    profit = ledger[ledger["ledger_code"].str.startswith("6")]
    profit = profit.assign(fen=fen(profit["balance_amount"]), year=profit["ledger_date"].str[:4])
    profit = profit.sort_values("ledger_date")
    place = ["ledger_code", "branch_id", "currency_code"]
    assert (profit.groupby([*place, "year"])["fen"].diff().dropna() >= 0).all()
    totals = profit.groupby(["ledger_code", "ledger_date"])["fen"].sum().unstack()
    assert (totals["2025-01-31"] < totals["2024-12-31"] / 5).all()
    # The books are open at the end of the day before history, and every line has its closing at every month's end.
    assert totals.columns[0] == "2024-05-31"
    month_ends = pd.date_range(SIMULATION.history_from, LAST, freq="ME").strftime("%Y-%m-%d")
    assert totals[list(month_ends)].notna().all(axis=None)


def test_fees_in_the_ledger_are_those_charged_by_the_end_of_the_month(everything: dict) -> None:
    fees, accounts = everything["core.fees"], everything["core.accounts"].set_index("account_id")
    charged = fen(fees["charged_amount"]).groupby(
        [fees["fee_date"].str[:7], accounts.loc[fees["account_id"], "branch_id"].to_numpy()]
    )
    ledger = everything["finance.ledger_balances"].query("ledger_code == '6021'")
    booked = ledger.assign(fen=fen(ledger["balance_amount"])).set_index(["ledger_date", "branch_id"])["fen"].unstack()
    booked = booked.fillna(0)
    flow = booked.loc["2026-06-30"] - booked.loc["2026-05-31"]
    expected = charged.sum().loc["2026-06"]
    assert flow[flow != 0].to_dict() == expected[expected != 0].to_dict()


def test_the_ledger_of_cards_is_what_the_cards_owe_that_day(frames: dict, everything: dict) -> None:
    branch = everything["core.customers"].set_index("customer_id")["branch_id"]
    for day in DELIVERIES:
        cards, ledger = frames["core.cards"][day], frames["finance.ledger_balances"][day]
        owed = fen(cards["outstanding_amount"]).groupby(branch[cards["customer_id"]].to_numpy()).sum()
        booked = ledger.query("ledger_code == '1304' and ledger_date == @day", local_dict={"day": str(day)})
        assert dict(zip(booked["branch_id"], fen(booked["balance_amount"]), strict=True)) == owed.to_dict()


def test_orders_are_what_changes_the_units_held(everything: dict) -> None:
    orders, holdings = everything["wealth.orders"], everything["wealth.holdings"]
    ends = holdings.query("balance_basis == 'end_of_day'")
    signed = orders["units"].map(Decimal) * orders["side"].map({"buy": 1, "redeem": -1})
    month_ends = [str(day) for day in np.unique(ends["holding_date"]) if day <= str(INITIAL)]
    units = ends.assign(units=ends["units"].map(Decimal)).set_index(["customer_id", "product_id", "holding_date"])[
        "units"
    ]
    for before, after in zip(month_ends[:-1], month_ends[1:], strict=True):
        between = (orders["order_date"] > before) & (orders["order_date"] <= after)
        moved = signed[between].groupby([orders["customer_id"][between], orders["product_id"][between]]).sum()
        opening, closing = (units.xs(day, level="holding_date") for day in (before, after))
        expected = opening.add(moved, fill_value=Decimal(0))
        held = closing.reindex(expected.index, fill_value=Decimal(0))
        assert (expected == held).all(), (before, after)


def test_holdings_are_worth_their_units_at_the_nav_of_the_day(everything: dict) -> None:
    ends = everything["wealth.holdings"].query("balance_basis == 'end_of_day'")
    navs = everything["wealth.navs"].set_index(["product_id", "nav_date"])["nav"].astype(float)
    nav = navs.reindex(pd.MultiIndex.from_frame(ends[["product_id", "holding_date"]])).to_numpy()
    worth = ends["units"].astype(float).to_numpy() * nav
    assert np.abs(worth - ends["market_value_amount"].astype(float).to_numpy()).max() < 0.02
