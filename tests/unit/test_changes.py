"""Deliveries of changes, from the file to what a mapping reads: the row in force on any date, and its whole history."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import jinja2
import pytest
from unit.tiny_bank import FRIDAY, MONDAY, TUESDAY, TinyBank, customers, profile_body, write_profile

from crm_warehouse.landing import accepted_batches, write_batch_index
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.quality.landing_gate import LandingVerdict, run_landing_gate
from crm_warehouse.settings import PROJECT

CUSTOMERS, REQUESTS = "core__customers", "core__requests"
OPEN = {"request_id": "Q1", "customer_id": "C1", "status": "open"}


@pytest.fixture
def bank(tmp_path: Path) -> TinyBank:
    """A bank of customers (full) and requests (changes)."""
    body = profile_body()
    body["sources"].pop("wealth")
    extracts = body["sources"]["core"]["extracts"]
    extracts.pop("balances")
    extracts["requests"] = {
        "delivery": "changes",
        "columns": {
            "request_id": {"type": "text", "key": True},
            "customer_id": {"type": "text", "required": True, "references": "core.customers.customer_id"},
            "status": {"type": "text", "required": True, "values": ["open", "answered", "closed"]},
        },
    }
    settings = write_profile(tmp_path, body)
    return TinyBank(settings, load_profile(settings))


def judge(bank: TinyBank, sent: dict[date, list[dict[str, str]]]) -> LandingVerdict:
    """Send, land and judge a delivery of each date, all in one run."""
    for day, rows in sent.items():
        bank.send(CUSTOMERS, customers(2), day)
        bank.send(REQUESTS, rows, day)
    bank.land_all(*sent)
    return run_landing_gate(bank.settings, bank.profile, list(sent), bank.settings.warehouse / "gate.duckdb", silent)


def correct(bank: TinyBank, day: date, rows: list[dict[str, str]], sequence: int = 2) -> None:
    """Send a day's requests again, as the next batch."""
    bank.send(REQUESTS, rows, day, sequence=sequence)
    bank.land(REQUESTS, day)
    run_landing_gate(bank.settings, bank.profile, [day], bank.settings.warehouse / "gate.duckdb", silent).require_open()


def of(bank: TinyBank, macro: str, as_of: date, held_back: dict[Path, list[int]] | None = None) -> list[tuple]:
    """What a mapping reads as of a date: `(request, status, business date, batch)` by the project's own dbt macro."""
    batches = accepted_batches(bank.settings, bank.profile, as_of)
    index = write_batch_index(bank.settings, batches, held_back=held_back or {})
    paths = {"CRM_WAREHOUSE_LANDING": str(bank.settings.landing), "CRM_WAREHOUSE_BATCHES": str(index)}
    macros = [
        (PROJECT / "dbt_project" / "macros" / f"{name}.sql").read_text("utf-8") for name in ("landed", "in_force")
    ]
    # Outside dbt there is nothing to dispatch by: the engine's own `landed` is asked for.
    call = macro.replace("landed(", "duckdb__landed(")
    source = "\n".join([*macros, "{{ " + call + " }}"])
    relation = jinja2.Environment(autoescape=False).from_string(source).render(env_var=paths.__getitem__)
    with duckdb.connect() as connection:
        return connection.execute(
            f"select request_id, status, business_date, batch from {relation} as r order by all"
        ).fetchall()


def in_force(bank: TinyBank, as_of: date) -> list[tuple]:
    return of(bank, "in_force(landed('core', 'requests'), ['request_id'])", as_of)


def history(bank: TinyBank, as_of: date) -> list[tuple]:
    return of(bank, "landed('core', 'requests')", as_of)


def test_a_row_that_was_let_in_later_is_not_read_for_an_earlier_belief(bank):
    judge(bank, {FRIDAY: [OPEN, {**OPEN, "request_id": "Q2"}], MONDAY: [{**OPEN, "status": "closed"}]})
    folders = {b.business_date: b.folder for b in accepted_batches(bank.settings, bank.profile, MONDAY)
               if b.table == REQUESTS}  # fmt: skip
    read = "landed('core', 'requests')"
    assert [row[0] for row in of(bank, read, MONDAY)] == ["Q1", "Q1", "Q2"]
    assert of(bank, read, MONDAY, {folders[FRIDAY]: [3]}) == [("Q1", "closed", MONDAY, 1), ("Q1", "open", FRIDAY, 1)]
    # In force is then what the delivery before said.
    assert of(bank, f"in_force({read}, ['request_id'])", MONDAY, {folders[MONDAY]: [2]}) == [
        ("Q1", "open", FRIDAY, 1),
        ("Q2", "open", FRIDAY, 1),
    ]


def test_the_same_key_may_come_again_in_a_later_delivery(bank):
    verdict = judge(bank, {FRIDAY: [OPEN], MONDAY: [{**OPEN, "status": "closed"}]})
    assert verdict.gate.passed == verdict.gate.planned
    verdict.require_open()


def test_a_key_twice_in_one_delivery_shuts_the_gate(bank):
    verdict = judge(bank, {FRIDAY: [OPEN, {**OPEN, "status": "closed"}]})
    assert [result.rule["id"] for result in verdict.gate.failures("block")] == [f"landing.{REQUESTS}.key_unique"]
    assert accepted_batches(bank.settings, bank.profile, TUESDAY) == []


def test_a_day_without_changes_passes_and_changes_nothing(bank):
    judge(bank, {FRIDAY: [OPEN], MONDAY: []}).require_open()
    assert in_force(bank, MONDAY) == [("Q1", "open", FRIDAY, 1)]


def test_a_row_is_in_force_from_its_delivery_until_a_later_one_changes_it(bank):
    other = {**OPEN, "request_id": "Q2"}
    judge(
        bank, {FRIDAY: [OPEN, other], MONDAY: [{**OPEN, "status": "answered"}], TUESDAY: [{**OPEN, "status": "closed"}]}
    ).require_open()
    unchanged = ("Q2", "open", FRIDAY, 1)
    assert in_force(bank, FRIDAY) == [("Q1", "open", FRIDAY, 1), unchanged]
    assert in_force(bank, MONDAY) == [("Q1", "answered", MONDAY, 1), unchanged]
    assert in_force(bank, TUESDAY) == [("Q1", "closed", TUESDAY, 1), unchanged]


def test_every_version_stays_readable(bank):
    judge(bank, {FRIDAY: [OPEN], MONDAY: [{**OPEN, "status": "answered"}]}).require_open()
    assert history(bank, MONDAY) == [("Q1", "answered", MONDAY, 1), ("Q1", "open", FRIDAY, 1)]
    assert history(bank, FRIDAY) == [("Q1", "open", FRIDAY, 1)]


def test_a_corrected_delivery_replaces_its_day_and_no_other(bank):
    judge(bank, {FRIDAY: [OPEN], MONDAY: [{**OPEN, "status": "closed"}]}).require_open()
    correct(bank, MONDAY, [{**OPEN, "status": "answered"}])
    assert in_force(bank, MONDAY) == [("Q1", "answered", MONDAY, 2)]
    correct(bank, FRIDAY, [{**OPEN, "status": "closed"}])
    assert in_force(bank, MONDAY) == [("Q1", "answered", MONDAY, 2)]
    assert in_force(bank, FRIDAY) == [("Q1", "closed", FRIDAY, 2)]


def test_a_correction_that_no_longer_names_a_key_takes_its_change_back(bank):
    judge(bank, {FRIDAY: [OPEN], MONDAY: [{**OPEN, "status": "closed"}]}).require_open()
    correct(bank, MONDAY, [])
    assert in_force(bank, MONDAY) == [("Q1", "open", FRIDAY, 1)]


def test_a_change_that_is_set_aside_leaves_the_version_before_in_force(bank):
    path = bank.settings.bank_folder / "policy" / "policy_parameters.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.005", "0.5"), encoding="utf-8")
    bad, good = {**OPEN, "status": "shut"}, {**OPEN, "request_id": "Q2"}
    judge(bank, {FRIDAY: [OPEN], MONDAY: [bad, good]}).require_open()
    assert in_force(bank, MONDAY) == [("Q1", "open", FRIDAY, 1), ("Q2", "open", MONDAY, 1)]


def test_a_change_must_belong_to_somebody_listed_the_same_day(bank):
    verdict = judge(bank, {FRIDAY: [OPEN], MONDAY: [{**OPEN, "customer_id": "C3"}]})
    assert [result.rule["id"] for result in verdict.gate.failures()] == [
        f"landing.{REQUESTS}.customer_id.reference_found"
    ]
