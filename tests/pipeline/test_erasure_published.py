"""A customer who was erased is in no file of the next version, nobody else's figures move, and the ledger still ties."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from conftest import LAST, Run
from faults.homes import copy_of
from personal_data import traces_in

from crm_warehouse import pipeline
from crm_warehouse.evidence import log
from crm_warehouse.privacy import erasure
from crm_warehouse.privacy.tokens import customer_key_of, read_key
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.publish.opening import open_live
from crm_warehouse.settings import Settings

AMOUNTS = "warehouse_amount, unallocated_amount, erased_amount, ledger_amount"


@pytest.fixture(scope="module")
def erased(reference_run: Run) -> str:
    """Of those with a loan the one of whom the most other tables tell: joint accounts, holdings, contacts, programmes, cards."""
    told = ("intermediate.int_position_holders where share_fraction < 1", "staging.stg_wealth__holdings",
            "staging.stg_crm__contacts", "staging.stg_crm__programmes", "staging.stg_core__cards")  # fmt: skip
    tables = " + ".join(f"cast(customer_id in (select customer_id from {table}) as integer)" for table in told)
    with duckdb.connect(str(reference_run.warehouse_file), read_only=True) as connection:
        customer_id, found = connection.execute(
            f"select customer_id, {tables} from (select distinct customer_id from staging.stg_core__loans) order by 2 desc, 1"
        ).fetchone()
    assert found >= 4
    return customer_id


@pytest.fixture(scope="module")
def after(reference_run: Run, erased: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home of the reference run before its last day, the customer erased in it, and then the last day."""
    settings = copy_of(reference_run, tmp_path_factory.mktemp("erasure") / "home", without=LAST)
    erasure.erase(settings, load_profile(settings), erased, by="data protection", reason="request 7")
    assert pipeline.run(settings, "after", LAST, LAST, False, lambda step: silent)["outcome"] == "published"
    return settings


def rows(settings: Settings, query: str, *values: object) -> list[tuple]:
    with open_live(settings).connection as connection:
        return connection.execute(query, list(values)).fetchall()


def test_nothing_but_versions_of_before_has_a_trace_of_the_customer(
    reference_run: Run, erased: str, after: Settings, everything: dict
):
    key = customer_key_of(read_key(after), erased)
    people = everything["core.customers"]
    row = people[people.customer_id == erased].iloc[0]
    personal = {erased, key, *(row[c] for c in ("customer_name", "id_number", "mobile", "email", "address") if row[c])}
    before = {path.name for path in (reference_run.settings.published).iterdir()}
    found = traces_in(after.home, personal, but=("current.duckdb",))
    assert {Path(file).parts[0] for file, _ in found} == {"published"}
    assert {Path(file).parts[1] for file, _ in found} <= before
    assert {value for _, value in found} == {key}


def test_nobody_elses_figures_move_but_ranks_among_those_who_stay(reference_run: Run, erased: str, after: Settings):
    key = customer_key_of(read_key(after), erased)
    ranked = {"fct_customer_contributions": "* exclude (contribution_rank)"}
    for mart in (
        "fct_customer_aum_monthly", "fct_customer_tiers_monthly", "fct_customer_contributions", "dim_customers",
        "fct_customer_lifecycle_history", "fct_money_flows",
    ):  # fmt: skip
        query = f"select {ranked.get(mart, '*')} from marts.{mart} where customer_key is distinct from ? order by all"
        assert rows(after, query, key) == rows(reference_run.settings, query, key), mart
        mine = f"select count(*) from marts.{mart} where customer_key = ?"
        assert rows(reference_run.settings, mine, key) > rows(after, mine, key) == [(0,)], mart


def test_the_ledger_ties_as_before_and_shows_what_belongs_to_the_erased(
    reference_run: Run, erased: str, after: Settings
):
    query = f"select month, ledger_code, branch_id, currency_code, is_reconciled, {AMOUNTS} from marts.fct_ledger_reconciliation order by all"
    before, now = rows(reference_run.settings, query), rows(after, query)
    moved = 0
    for (*cell, customers, others, nothing, ledger), (*same, left, more, gone, booked) in zip(before, now, strict=True):
        assert (cell, ledger, nothing) == (same, booked, 0)
        # Each of the three is rounded to the cent by itself.
        assert abs(customers - left - gone) <= Decimal("0.01") >= abs(more - others - gone)
        moved += gone > 0
    assert moved > 10


def test_the_evidence_of_the_run_says_that_landing_is_another_one(after: Settings):
    assert "erasures" in pipeline.read_result(after, "after", "build")["inputs"]
    events = [entry["event"] for entry in log.read_entries(after)]
    assert events.index("erasure_asked") < events.index("customer_erased") < len(events) - 1
    assert log.verify(after) is None
