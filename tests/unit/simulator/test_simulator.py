"""The reference bank keeps its own books: every file as declared, every balance following from its postings."""

import csv
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from crm_warehouse.simulator import Simulation, delivery_dates, simulate
from crm_warehouse.simulator.wealth import BANDS, wealth_of_customers

PROFILE = Path(__file__).parents[3] / "dbt_project" / "banks" / "reference_bank" / "extracts.yml"
SIMULATION = Simulation(customers=300)
DELIVERIES = delivery_dates(SIMULATION)
INITIAL, LAST = DELIVERIES[0], DELIVERIES[-1]

ARROW_TYPES = {
    "text": pa.string(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "decimal": pa.decimal128(18, 2),
    "fraction": pa.decimal128(18, 9),
    "quantity": pa.decimal128(18, 6),
    "integer": pa.int64(),
}
PATTERNS = {
    "date": r"\d{4}-\d{2}-\d{2}",
    "timestamp": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z",
    "boolean": r"true|false",
    "decimal": r"-?\d+\.\d{2}",
    "fraction": r"-?\d+(\.\d{1,9})?",
    "quantity": r"-?\d+(\.\d{1,6})?",
    "integer": r"-?\d+",
    "text": r"(?s).+",
}


def declared_extracts() -> Iterator[tuple[str, dict, str, dict]]:
    for source, written in yaml.safe_load(PROFILE.read_text(encoding="utf-8"))["sources"].items():
        for extract, declared in written["extracts"].items():
            yield source, written, extract, declared


EXTRACTS = {f"{source}.{extract}": (written, declared) for source, written, extract, declared in declared_extracts()}


def data_path(folder: Path, name: str, business_date: date) -> Path:
    return folder / EXTRACTS[name][0]["file"].format(
        business_date=business_date.isoformat(), extract=name.split(".")[1]
    )


def as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return f"{value:f}" if isinstance(value, Decimal) else str(value).lower()


def read(folder: Path, name: str, business_date: date) -> pd.DataFrame:
    """All columns as text, missing as None."""
    written, declared = EXTRACTS[name]
    path = data_path(folder, name, business_date)
    if written["kind"] == "parquet":
        table = pq.read_table(path)
        wanted = {column: ARROW_TYPES[d["type"]] for column, d in declared["columns"].items()}
        assert dict(zip(table.column_names, table.schema.types, strict=True)) == wanted
        columns = {column: [as_text(value) for value in table[column].to_pylist()] for column in table.column_names}
        return pd.DataFrame(columns, dtype=object)
    text = path.read_bytes().decode(written["encoding"])
    assert text.endswith("\n") and "\r" not in text
    lines = text.splitlines()
    if len(written["delimiter"]) > 1:
        rows = [line.split(written["delimiter"]) for line in lines]
    else:
        rows = list(csv.reader(lines, delimiter=written["delimiter"], strict=True))
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype=object)
    return frame.where(frame != "", None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference_bank")
    assert simulate(path, SIMULATION)
    return path


@pytest.fixture(scope="module")
def frames(folder: Path) -> dict[str, dict[date, pd.DataFrame]]:
    return {name: {day: read(folder, name, day) for day in DELIVERIES} for name in EXTRACTS}


@pytest.fixture(scope="module")
def everything(frames: dict) -> dict[str, pd.DataFrame]:
    """Every event ever sent, and the last state of every full table."""
    return {
        name: pd.concat(frames[name].values(), ignore_index=True)
        if declared["delivery"] == "events"
        else frames[name][LAST]
        for name, (_, declared) in EXTRACTS.items()
    }


def fen(amounts: pd.Series) -> pd.Series:
    return amounts.str.replace(".", "", regex=False).astype("int64")


def tree_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


# --- files ---------------------------------------------------------------------------------------------------------


def test_a_delivery_comes_on_the_initial_date_and_then_on_every_business_day() -> None:
    assert (INITIAL, DELIVERIES[1], LAST) == (date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 30))
    assert all(day.weekday() < 5 for day in DELIVERIES[1:])
    assert date(2026, 6, 19) not in DELIVERIES, "Dragon Boat festival"
    assert len(DELIVERIES) == 22


def test_every_declared_file_is_there_and_no_other(folder: Path) -> None:
    expected = {data_path(folder, name, day) for name in EXTRACTS for day in DELIVERIES}
    expected |= {path.with_suffix(".ctl") for path in expected} | {folder / "simulation.json"}
    assert {path for path in folder.rglob("*") if path.is_file()} == expected


@pytest.mark.parametrize("name", EXTRACTS)
def test_columns_come_in_the_declared_order_with_declared_types_and_values(name: str, frames: dict) -> None:
    columns = EXTRACTS[name][1]["columns"]
    for day, frame in frames[name].items():
        assert list(frame.columns) == list(columns), day
        for column, declared in columns.items():
            values = frame[column]
            if declared.get("required") or declared.get("key"):
                assert values.notna().all(), (day, column)
            seen = set(values.dropna())
            wrong = [value for value in seen if not re.fullmatch(PATTERNS[declared["type"]], value)]
            assert not wrong, (day, column, wrong[:3])
            assert seen <= set(declared.get("values", seen)), (day, column)


@pytest.mark.parametrize("name", EXTRACTS)
def test_keys_are_unique_in_each_delivery_and_over_all_events(name: str, frames: dict, everything: dict) -> None:
    keys = [column for column, declared in EXTRACTS[name][1]["columns"].items() if declared.get("key")]
    for day, frame in frames[name].items():
        assert not keys or not frame.duplicated(keys).any(), day
    assert not keys or not everything[name].duplicated(keys).any()


@pytest.mark.parametrize("name", EXTRACTS)
def test_references_resolve_within_their_delivery(name: str, frames: dict) -> None:
    for column, declared in EXTRACTS[name][1]["columns"].items():
        if "references" in declared:
            source, extract, target = declared["references"].split(".")
            for day, frame in frames[name].items():
                missing = set(frame[column].dropna()) - set(frames[f"{source}.{extract}"][day][target])
                assert not missing, (day, column, sorted(missing)[:3])


@pytest.mark.parametrize("name", EXTRACTS)
def test_the_control_file_vouches_for_its_data_file(name: str, folder: Path, frames: dict) -> None:
    columns = EXTRACTS[name][1]["columns"]
    for day, frame in frames[name].items():
        path = data_path(folder, name, day)
        expected = {
            "file": path.name,
            "business_date": day.isoformat(),
            "sequence": "1",
            "rows": str(len(frame)),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "sent_at": f"{day.isoformat()}T17:30:00Z",
        }
        for column in (column for column, declared in columns.items() if declared.get("control_total")):
            expected[f"total_{column}"] = f"{sum(map(Decimal, frame[column]), Decimal('0.00')):.2f}"
        lines = path.with_suffix(".ctl").read_text(encoding="utf-8").splitlines()
        assert dict(line.split("=", 1) for line in lines) == expected
        assert path.with_suffix(".ctl").stat().st_mtime_ns >= path.stat().st_mtime_ns


def test_names_need_gb18030_and_would_break_gbk(everything: dict) -> None:
    names = "".join(everything["core.customers"]["customer_name"])
    with pytest.raises(UnicodeEncodeError):
        names.encode("gbk")
    assert names.encode("gb18030").decode("gb18030") == names


# --- the same again ------------------------------------------------------------------------------------------------


def test_the_same_seed_and_size_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert simulate(tmp_path, SIMULATION)
    assert tree_digest(tmp_path) == tree_digest(folder)


def test_a_second_call_writes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert not simulate(folder, SIMULATION)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_another_seed_or_an_unfinished_folder_is_written_anew(tmp_path: Path) -> None:
    small = Simulation(customers=100, initial_delivery_on=date(2025, 12, 31), last_business_date=date(2026, 1, 6))
    assert simulate(tmp_path, small)
    digest = tree_digest(tmp_path)
    assert simulate(tmp_path, replace(small, seed=1))
    assert tree_digest(tmp_path) != digest
    (tmp_path / "simulation.json").unlink()
    (tmp_path / "core" / "2026-01-31").mkdir()
    (tmp_path / "core" / "2026-01-31" / "customers.csv").write_text("left over")
    assert simulate(tmp_path, small)
    assert tree_digest(tmp_path) == digest


def test_files_of_others_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    small = Simulation(customers=100, initial_delivery_on=date(2025, 12, 31), last_business_date=date(2026, 1, 6))
    simulate(tmp_path, small)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_progress_counts_up_to_all_deliveries(tmp_path: Path) -> None:
    small = Simulation(customers=100, initial_delivery_on=date(2025, 12, 31), last_business_date=date(2026, 1, 6))
    calls: list[tuple[str, int, int]] = []
    simulate(tmp_path, small, lambda *call: calls.append(call))
    assert calls[-1] == ("deliveries written", len(delivery_dates(small)), len(delivery_dates(small)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"customers": 99},
        {"history_from": date(2025, 1, 2)},
        {"initial_delivery_on": date(2026, 5, 30)},
        {"last_business_date": date(2026, 5, 31)},
        {"last_business_date": date(2026, 6, 28)},
        {"last_business_date": date(2027, 1, 1)},
    ],
)
def test_a_simulation_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must|needs|needed"):
        Simulation(**wrong)


# --- the books -----------------------------------------------------------------------------------------------------


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
    assert averages["balance_date"].nunique() == 17
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


# --- the people ----------------------------------------------------------------------------------------------------


def test_resident_ids_are_unique_with_the_right_checksum_birth_date_and_sex(everything: dict) -> None:
    customers = everything["core.customers"]
    assert customers["id_number"].is_unique
    people = customers.query("id_type == 'resident_id'")
    for number, born, gender in zip(people["id_number"], people["birth_date"], people["gender"], strict=True):
        weights = [2 ** (17 - i) % 11 for i in range(17)]
        assert "10X98765432"[sum(int(d) * w for d, w in zip(number, weights, strict=False)) % 11] == number[17]
        assert number[6:14] == born.replace("-", "") and (int(number[16]) % 2 == 1) == (gender == "male")
        assert number[2:4] == "99", "no city has this code: nobody real bears the number"


def test_customers_join_leave_and_come_back_in_the_window_and_in_june(frames: dict) -> None:
    by_day = {day: frames["core.customers"][day].set_index("customer_id") for day in DELIVERIES}
    before, after = by_day[INITIAL], by_day[LAST]
    assert (after["onboarded_on"] >= "2026-06-01").any() and (after["onboarded_on"] >= "2025-01-01").mean() > 0.04
    assert after["closed_on"].dropna().between("2025-01-01", "2026-05-31").any()
    assert (after["closed_on"].dropna() >= "2026-06-01").any()
    back = before.index[before["closed_on"].notna() & after.loc[before.index, "closed_on"].isna()]
    assert len(back) >= 1 and (after.loc[back, "onboarded_on"] > before.loc[back, "closed_on"]).all()
    accounts = [frames["core.accounts"][day] for day in (INITIAL, LAST)]
    old, new = (set(a["account_id"][a["customer_id"].isin(back)]) for a in accounts)
    assert old < new, "who comes back gets new accounts, and keeps the closed ones"
    assert (before["mobile"] != after.loc[before.index, "mobile"]).any(), "some attribute changes within June"


def test_accounts_close_no_later_than_their_customer(everything: dict) -> None:
    customers = everything["core.customers"].set_index("customer_id")["closed_on"].dropna()
    accounts = everything["core.accounts"].query("customer_id in @customers.index")
    assert (accounts["closed_on"] <= customers.loc[accounts["customer_id"]].to_numpy()).all()


@pytest.fixture(scope="module")
def monthly_aum(everything: dict) -> pd.DataFrame:
    """Average AUM in CNY by customer and month end of the initial history."""
    rates = everything["reference.fx_rates"].set_index(["currency_code", "rate_date"])["cny_per_unit"].astype(float)
    owner = everything["core.accounts"].set_index("account_id")["customer_id"]
    balances = everything["core.balances"].query("balance_basis == 'monthly_average'")
    holdings = everything["wealth.holdings"].query("balance_basis == 'monthly_average'")
    rate = rates.reindex(pd.MultiIndex.from_frame(balances[["currency_code", "balance_date"]])).to_numpy()
    columns = ["customer", "month", "amount"]
    money = balances["balance_amount"].astype(float) * rate
    deposits = pd.DataFrame(zip(owner[balances["account_id"]], balances["balance_date"], money, strict=True))
    value = holdings["market_value_amount"].astype(float)
    invested = pd.DataFrame(zip(holdings["customer_id"], holdings["holding_date"], value, strict=True))
    parts = pd.concat([deposits.set_axis(columns, axis=1), invested.set_axis(columns, axis=1)])
    return parts.groupby(["customer", "month"])["amount"].sum().unstack(fill_value=0.0)


def test_customers_really_move_between_tiers_both_ways(monthly_aum: pd.DataFrame) -> None:
    tiers = np.searchsorted([50_000, 200_000, 500_000, 2_000_000, 6_000_000], monthly_aum.to_numpy(), side="right")
    assert set(tiers.ravel()) == set(range(6))
    steps = np.diff(tiers, axis=1)
    assert (steps > 0).sum() >= 10 and (steps < 0).sum() >= 5


def test_month_end_window_dressing_is_there_to_be_found(everything: dict) -> None:
    balances = everything["core.balances"].query("balance_date < '2026-06-01'")
    wide = balances.assign(fen=fen(balances["balance_amount"]))
    wide = wide.pivot(index=["account_id", "balance_date"], columns="balance_basis", values="fen")
    large = wide[wide["monthly_average"] > 10_000_00]
    assert (large["end_of_day"] > 1.2 * large["monthly_average"]).any()


def test_whoever_has_200000_has_a_primary_manager_and_never_two_at_once(everything: dict, monthly_aum) -> None:
    assignments = everything["crm.rm_assignments"].query("assignment_role == 'primary'")
    rich = monthly_aum.index[(monthly_aum >= 200_000).any(axis=1)]
    assert set(rich) <= set(assignments["customer_id"])
    ordered = assignments.sort_values(["customer_id", "valid_from"])
    is_same = ordered["customer_id"].shift(-1) == ordered["customer_id"]
    assert (ordered["valid_to"][is_same] <= ordered["valid_from"].shift(-1)[is_same]).all()


def test_unit_costs_are_full_above_avoidable_above_zero(everything: dict) -> None:
    costs = everything["finance.unit_costs"]
    full, avoidable = costs["full_unit_cost"].map(Decimal), costs["avoidable_unit_cost"].map(Decimal)
    assert ((full > avoidable) & (avoidable > 0)).all() and costs["month"].nunique() == 18


def test_rates_of_exchange_come_for_every_calendar_day(everything: dict) -> None:
    rates = everything["reference.fx_rates"]
    days = (LAST - date(2024, 12, 31)).days + 1
    assert (rates.groupby("currency_code")["rate_date"].nunique() == days).all()
    assert set(rates["currency_code"]) == {"CNY", "USD", "HKD", "EUR"}
    assert (rates.query("currency_code == 'CNY'")["cny_per_unit"].map(Decimal) == 1).all()


def test_a_large_bank_has_the_published_concentration() -> None:
    wealth = wealth_of_customers(200_000)
    for threshold, customers, held in ((500_000, 0.0225, 0.814), (10_000_000, 0.0007, 0.313)):
        assert (wealth >= threshold).mean() == pytest.approx(customers, rel=0.02)
        assert wealth[wealth >= threshold].sum() / wealth.sum() == pytest.approx(held, abs=0.005)


def test_a_bank_of_2000_is_concentrated_alike_and_has_customers_in_every_band() -> None:
    wealth = wealth_of_customers(2_000)
    assert (wealth >= 500_000).mean() == pytest.approx(0.0225, abs=0.001)
    assert wealth[wealth >= 500_000].sum() / wealth.sum() == pytest.approx(0.814, abs=0.03)
    # One or two customers make this share: the wider tolerance is theirs.
    assert np.sort(wealth)[-2:].sum() / wealth.sum() == pytest.approx(0.313, abs=0.03)
    assert all(((wealth >= low) & (wealth < high)).sum() >= least for low, high, least in BANDS)


def test_timestamps_are_real_instants(everything: dict) -> None:
    for name, column in (("core.customers", "consent_updated_at"), ("crm.contacts", "contacted_at")):
        for value in everything[name][column].dropna():
            datetime.fromisoformat(value)
