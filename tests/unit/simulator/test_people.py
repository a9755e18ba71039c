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


def test_firms_bear_a_valid_credit_code_of_no_real_place_and_belong_to_an_owner(everything: dict) -> None:
    customers, links = everything["core.customers"], everything["core.customer_links"]
    firms = customers.query("customer_type == 'corporate'")
    digits = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for code in firms["id_number"]:
        assert (
            sum(digits.index(c) * 3**i % 31 for i, c in enumerate(code[:17])) % 31 == (31 - digits.index(code[17])) % 31
        )
        assert code[4:6] == "99" and len(code) == 18
    owned = links.query("link_type == 'owner_of_firm'")
    assert len(firms) > 0 and set(owned["linked_customer_id"]) == set(firms["customer_id"])
    assert firms["birth_date"].isna().all() and firms["gender"].isna().all()


def test_a_double_record_has_the_name_birth_date_and_mobile_of_the_first(everything: dict) -> None:
    customers = everything["core.customers"].set_index("customer_id")
    doubles = everything["core.customer_links"].query("link_type == 'same_person'")
    assert len(doubles) > 0
    for column in ("customer_name", "birth_date"):
        pair = (customers.loc[doubles[side], column].to_numpy() for side in ("customer_id", "linked_customer_id"))
        assert np.equal(*pair).all(), column


def test_households_live_at_one_branch_and_nobody_refers_themselves(everything: dict) -> None:
    links, branch = (
        everything["core.customer_links"],
        everything["core.customers"].set_index("customer_id")["branch_id"],
    )
    homes = links.query("link_type == 'household'")
    sides = (branch[homes[side]].to_numpy() for side in ("customer_id", "linked_customer_id"))
    assert len(homes) > 10 and np.equal(*sides).all()
    referred = links.query("link_type == 'referred_by'")
    assert len(referred) > 0 and (referred["customer_id"] != referred["linked_customer_id"]).all()
    started = everything["core.customers"].set_index("customer_id")["onboarded_on"]
    later, earlier = (started[referred[side]].to_numpy() for side in ("customer_id", "linked_customer_id"))
    assert (later > earlier).all(), "no circles: who refers was there before"


def test_mobiles_are_in_a_range_no_operator_has(everything: dict) -> None:
    assert everything["core.customers"]["mobile"].dropna().str.fullmatch(r"154\d{8}").all()


def test_a_service_request_goes_through_its_stages_in_order(everything: dict) -> None:
    requests = everything["crm.service_requests"]
    times = [requests[f"{what}_at"] for what in ("opened", "acknowledged", "resolved", "reopened")]
    for before, after in zip(times[:-1], times[1:], strict=True):
        both = before.notna() & after.notna()
        assert (before[both] < after[both]).all() and not (before.isna() & after.notna()).any()
    is_resolved = requests["resolved_at"].notna()
    assert (requests["resolution"].notna() == is_resolved).all()
    assert is_resolved.mean() > 0.9 and (requests["is_complaint"] == "true").mean() == pytest.approx(0.2, abs=0.1)


def test_a_request_is_sent_again_whenever_something_happened_to_it(frames: dict) -> None:
    sent = pd.concat([frame.assign(sent=str(day)) for day, frame in frames["crm.service_requests"].items()])
    again = sent[sent["sent"] > str(INITIAL)]
    moments = ["opened_at", "acknowledged_at", "resolved_at", "reopened_at"]
    local = again[moments].apply(
        lambda column: (pd.to_datetime(column) + pd.Timedelta(hours=8)).dt.strftime("%Y-%m-%d")
    )
    assert (local.max(axis=1) <= again["sent"]).all(), "nothing is sent before it has happened"
    before = {str(day): str(earlier) for earlier, day in zip(DELIVERIES[:-1], DELIVERIES[1:], strict=True)}
    assert (local.max(axis=1) > again["sent"].map(before)).all(), "nothing is sent again without news"


def test_surveys_are_often_not_answered_and_scores_keep_to_their_scale(everything: dict) -> None:
    surveys = everything["crm.surveys"]
    answered = surveys["answered_at"].notna()
    assert (surveys["score"].notna() == answered).all() and 0.1 < answered.mean() < 0.9
    low, high, score = (surveys.loc[answered, name].astype(int) for name in ("scale_min", "scale_max", "score"))
    assert ((low <= score) & (score <= high)).all()
    assert set(surveys["survey_type"]) == {"nps", "csat", "brand", "expectation"}


def test_control_members_of_a_campaign_are_never_contacted(everything: dict) -> None:
    members = everything["crm.campaign_members"]
    control = members["is_control"] == "true"
    assert 0.1 < control.mean() < 0.3
    assert members.loc[control, ["contacted_at", "responded_at"]].isna().all(axis=None)
    assert members.loc[~control, "contacted_at"].notna().all()
    assert (members["converted_amount"].notna() == members["converted_at"].notna()).all()


def test_a_converted_prospect_became_a_customer_on_that_day(everything: dict) -> None:
    prospects, customers = everything["crm.prospects"], everything["core.customers"].set_index("customer_id")
    converted = prospects.query("status == 'converted'")
    assert (
        len(converted) > 0
        and (prospects["converted_customer_id"].notna() == (prospects["status"] == "converted")).all()
    )
    created = (pd.to_datetime(converted["created_at"]) + pd.Timedelta(hours=8)).dt.strftime("%Y-%m-%d")
    assert (created.to_numpy() < customers.loc[converted["converted_customer_id"], "onboarded_on"].to_numpy()).all()
    assert set(prospects["status"]) >= {"converted", "lost"}


def test_market_series_come_with_their_vintages_and_none_from_the_future(frames: dict) -> None:
    for day in (INITIAL, LAST):
        assert (frames["reference.market_series"][day]["published_on"] <= str(day)).all()
    series = frames["reference.market_series"][LAST]
    assert series.duplicated(["series_code", "period_start"]).any(), "one series is revised"
