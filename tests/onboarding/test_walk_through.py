"""A new user brings a bank in by following CONTRIBUTING literally: a profile, no Python, published marts."""

from __future__ import annotations

import json
from decimal import Decimal

import duckdb
import pytest
from onboarding.river_bank import BANK, DAYS, NewUser

FIRST, LAST = DAYS


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> NewUser:
    """The walk-through, step by step, each with what it should say."""
    user = NewUser.below(tmp_path_factory.mktemp("river"))
    said = user.call("profile", "new", BANK)
    assert "next: fill in what is marked TODO" in said
    first = user.check()  # right in form from the start, and clear about what is missing
    assert first["blocks"] == 0
    assert {finding["level"] for finding in first["findings"]} == {"fine", "todo"}
    assert "marked TODO" in first["next"]
    user.fill_in()
    filled = user.check()
    assert (filled["blocks"], [f for f in filled["findings"] if f["level"] == "todo"]) == (0, [])
    assert filled["next"] == f"check a delivery too: crm-warehouse profile check {BANK} --data FOLDER"
    user.send_all()
    sent = user.check("--data", str(user.data))
    assert [f["text"] for f in sent["findings"] if f["area"] == "delivery"][:1] == [
        "core.customers: 3 rows, as its control file says"
    ]
    assert sent["next"].startswith(f"run it: crm-warehouse run --bank {BANK} --data ")
    user.call("run", "--bank", BANK, "--data", str(user.data), "--from", FIRST, "--to", LAST)
    return user


def published(user: NewUser, query: str) -> list[tuple]:
    live = json.loads((user.home / "published" / "current.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(user.home / "published" / live["file"]), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_marts_have_the_bank_s_customers(user):
    query = "select age_band, gender, count(*) from marts.dim_customers group by all order by 1"
    assert published(user, query) == [("18_34", "female", 1), ("35_64", "female", 1), ("over_64", "male", 1)]


def test_assets_are_the_balances_that_were_sent(user):
    query = """
        select product_family, sum(eop_amount), sum(adb_amount)
        from marts.fct_customer_aum_monthly where month = date '2026-03-01' group by all order by 1
    """
    # The first balances are of the 31st: one day of the month's 31.
    assert published(user, query) == [
        ("demand_deposit", Decimal("120500.25"), Decimal("3870.97") + Decimal("16.14")),
        ("time_deposit", Decimal("40000.00"), Decimal("1290.32")),
    ]


def test_the_tiers_are_those_of_the_ladder_in_the_bank_s_policy(user):
    query = """
        select tier_code, rating_amount from marts.fct_customer_tiers_monthly
        where month = date '2026-03-01' order by rating_amount
    """
    rated = [("standard", Decimal("0.00")), ("standard", Decimal("1306.46")), ("premium", Decimal("3870.97"))]
    assert published(user, query) == rated


def test_coverage_shows_what_is_fed_and_what_is_dark(user):
    body = json.loads(user.call("profile", "coverage", BANK, "--json"))
    tables = [table for table, is_provided in body["canonical_tables"].items() if is_provided]
    assert tables == ["core__accounts", "core__balances", "core__customers", "reference__fx_rates", "wealth__products"]
    coverage = {mart: row["coverage"] for mart, row in body["marts"].items()}
    assert coverage["dim_branches"] == "dark"
    assert coverage["fct_customer_aum_monthly"] == "partly"
    assert "core__loans" in body["marts"]["fct_customer_contributions"]["missing"]
    assert "dark" in user.call("profile", "coverage", BANK)


def test_a_profile_is_never_overwritten(user):
    before = (user.bank / "extracts.yml").read_bytes()
    assert "is there already: nothing was written" in user.call("profile", "new", BANK, code=1)
    assert (user.bank / "extracts.yml").read_bytes() == before
