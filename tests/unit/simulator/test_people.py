"""The people: who they are, how they come, move between tiers, and go."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from simulated_files import DELIVERIES, INITIAL, LAST, fen

from crm_warehouse.simulator.wealth import BANDS, wealth_of_customers


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
    assert (after["onboarded_on"] >= "2026-06-01").any() and (after["onboarded_on"] >= "2024-06-01").mean() > 0.04
    assert after["closed_on"].dropna().between("2024-06-01", "2026-05-31").any()
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
    assert ((full > avoidable) & (avoidable > 0)).all() and costs["month"].nunique() == 25


def test_rates_of_exchange_come_for_every_calendar_day(everything: dict) -> None:
    rates = everything["reference.fx_rates"]
    days = (LAST - date(2024, 5, 31)).days + 1
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
