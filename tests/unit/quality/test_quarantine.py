"""Rows in quarantine: a person releases or discards them, on record; the accepted rows follow, the same every time."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner
from unit.tiny_bank import BALANCE, CUSTOMER, DAY, TUESDAY, TinyBank, customers, profile_body, write_profile

from crm_warehouse import cli, quarantine_commands
from crm_warehouse.beliefs import find_revisions
from crm_warehouse.errors import DecisionRefused, GateFailed
from crm_warehouse.evidence import log
from crm_warehouse.landing import ACCEPTED, accepted_batches, accepted_on
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.quality import decisions, held_rows, quarantine
from crm_warehouse.quality.landing_gate import LandingVerdict, run_landing_gate

CUSTOMERS, VISITS, NOTES = "core__customers", "core__visits", "core__notes"
CANARY = "CANARY-7f3a"
WHO = {"by": "Li Na", "reason": "the source system confirmed it by mail"}


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    """A bank with visits of customers and notes on visits, neither with money in them."""
    body = profile_body()
    body["sources"]["core"]["extracts"] |= {
        "visits": {
            "delivery": "full",
            "columns": {
                "visit_id": {"type": "text", "key": True},
                "customer_id": {"type": "text", "references": "core.customers.customer_id"},
            },
        },
        "notes": {
            "delivery": "events",
            "columns": {
                "note_id": {"type": "text", "key": True},
                "visit_id": {"type": "text", "references": "core.visits.visit_id"},
            },
        },
    }
    settings = write_profile(tmp_path, body)
    return TinyBank(settings, load_profile(settings))


def send(tiny: TinyBank, day: date = DAY, **bad: str) -> None:
    """400 customers with a visit and a note each; the second of them is wrong: source row 3 in each file."""
    rows = customers(400)
    rows[1] |= {"gender": CANARY, **bad}
    tiny.send_all(rows, [BALANCE], day)
    ids = [row["customer_id"] for row in rows]
    tiny.send(VISITS, [{"visit_id": f"V{id_}", "customer_id": id_} for id_ in ids], day)
    tiny.send(NOTES, [{"note_id": f"N{id_}", "visit_id": f"V{id_}"} for id_ in ids], day)


def judge(tiny: TinyBank, *days: date) -> LandingVerdict:
    days = days or (DAY,)
    tiny.land_all(*days)
    verdict = run_landing_gate(
        tiny.settings, tiny.profile, list(days), tiny.settings.warehouse / "landing_gate.duckdb", silent
    )
    verdict.require_open()
    return verdict


def decide(tiny: TinyBank, decision: str, table: str = CUSTOMERS, **given) -> int:
    asked = {"rows": [3], "rule": None, **WHO, **given}
    return quarantine.decide(tiny.settings, tiny.profile, decision, table, DAY, **asked)


def accepted_rows(tiny: TinyBank, table: str, day: date = DAY) -> list[int]:
    batch = accepted_on(tiny.settings, tiny.spec(table), day)
    return pq.read_table(batch.folder / ACCEPTED)["_source_row"].to_pylist()


def files_of(tiny: TinyBank) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in tiny.settings.landing.rglob("*") if path.is_file()}


def counts(verdict: LandingVerdict, table: str) -> tuple[int, ...]:
    (count,) = [count for count in verdict.batches if count["table"] == table]
    names = ("rows_read", "rows_loaded", "rows_quarantined", "rows_rejected", "rows_discarded")
    return tuple(count[name] for name in names)


def test_what_is_set_aside_is_listed_by_table_date_and_rule_without_a_value(tiny):
    send(tiny)
    judge(tiny)
    found = quarantine.list_quarantine(tiny.settings, tiny.profile)
    assert found[0] == {
        "table": CUSTOMERS,
        "business_date": DAY.isoformat(),
        "batch": 1,
        "rows": 1,
        "rules": {"gender.known_code": 1},
        "states": {"waiting": 1},
    }
    assert [batch["table"] for batch in found] == [CUSTOMERS, VISITS, NOTES]
    shown = quarantine.show_quarantine(tiny.settings, tiny.profile, CUSTOMERS, DAY)
    assert shown["rows"] == [{"source_row": 3, "rules": ["gender.known_code"], "state": "waiting"}]
    assert CANARY not in json.dumps([found, shown])


def test_a_released_row_flows_on_the_next_run_and_what_refers_to_it_follows(tiny):
    send(tiny)
    verdict = judge(tiny)
    assert counts(verdict, CUSTOMERS) == (400, 399, 1, 0, 0)
    assert 3 not in accepted_rows(tiny, CUSTOMERS) + accepted_rows(tiny, VISITS) + accepted_rows(tiny, NOTES)
    assert decide(tiny, "release") == 1
    verdict = judge(tiny)
    for table in (CUSTOMERS, VISITS, NOTES):
        assert accepted_rows(tiny, table) == list(range(2, 402)), table
        assert counts(verdict, table) == (400, 400, 0, 0, 0)
    assert quarantine.list_quarantine(tiny.settings, tiny.profile)[2]["states"] == {"released": 1}


def test_a_released_row_flows_on_the_next_run_whatever_business_date_that_is_of(tiny):
    send(tiny)
    judge(tiny)
    decide(tiny, "release")
    send(tiny, TUESDAY, gender="female")
    judge(tiny, TUESDAY)
    assert accepted_rows(tiny, CUSTOMERS) == list(range(2, 402))
    assert accepted_rows(tiny, NOTES) == list(range(2, 402))


def test_a_released_row_is_never_set_aside_again_for_the_same_reason(tiny):
    send(tiny)
    judge(tiny)
    decide(tiny, "release")
    for _ in range(2):
        assert counts(judge(tiny), CUSTOMERS) == (400, 400, 0, 0, 0)


def test_a_discarded_row_counts_as_rejected_by_decision_and_its_orphans_too(tiny):
    send(tiny)
    judge(tiny)
    before = {table: accepted_rows(tiny, table) for table in (CUSTOMERS, VISITS, NOTES)}
    decide(tiny, "discard", rows=None, rule="gender.known_code")
    verdict = judge(tiny)
    for table, rows in before.items():
        assert accepted_rows(tiny, table) == rows
        assert counts(verdict, table) == (400, 399, 0, 1, 1), table


def test_the_same_landing_and_the_same_decisions_give_the_same_bytes(tiny):
    send(tiny)
    judge(tiny)
    decide(tiny, "release")
    judge(tiny)
    first = files_of(tiny)
    judge(tiny)
    assert files_of(tiny) == first
    for file in tiny.settings.landing.rglob(ACCEPTED):
        file.unlink()
    judge(tiny)
    assert files_of(tiny) == first


def test_accepted_rows_made_anew_are_typed_as_before(tiny):
    send(tiny)
    judge(tiny)
    batch = accepted_on(tiny.settings, tiny.spec(CUSTOMERS), DAY)
    before = pq.read_table(batch.folder / ACCEPTED)
    decide(tiny, "release")
    judge(tiny)
    after = pq.read_table(batch.folder / ACCEPTED)
    assert after.schema.equals(before.schema)
    assert [row for row in after.to_pylist() if row["_source_row"] != 3] == before.to_pylist()


def test_a_row_with_two_faults_flows_only_when_both_are_released(tiny):
    send(tiny, customer_name="")
    judge(tiny)
    decide(tiny, "release", rows=None, rule="gender.known_code")
    assert counts(judge(tiny), CUSTOMERS) == (400, 399, 1, 0, 0)
    assert 3 not in accepted_rows(tiny, VISITS)
    decide(tiny, "release", rows=None, rule="customer_name.present")
    assert counts(judge(tiny), CUSTOMERS) == (400, 400, 0, 0, 0)
    assert 3 in accepted_rows(tiny, VISITS)


def test_a_value_that_cannot_be_read_cannot_be_released(tiny):
    send(tiny, birth_date="1980-02-31")
    judge(tiny)
    for given in ({"rows": [3]}, {"rows": None, "rule": "birth_date.readable"}):
        with pytest.raises(DecisionRefused, match="row 3 cannot be released: birth_date.readable says"):
            decide(tiny, "release", **given)
    assert log.read_entries(tiny.settings) == []


def test_an_orphan_cannot_be_released_by_itself(tiny):
    send(tiny)
    judge(tiny)
    with pytest.raises(DecisionRefused, match="release that row and this one follows"):
        decide(tiny, "release", VISITS)


def test_a_row_that_refers_to_nothing_stays_when_others_are_released(tiny):
    send(tiny)
    ids = [f"C{number}" for number in range(1, 401)]
    visits = [{"visit_id": f"V{id_}", "customer_id": id_} for id_ in ids]
    tiny.send(VISITS, [*visits, {"visit_id": "V0", "customer_id": "C0"}])
    judge(tiny)
    decide(tiny, "release")
    judge(tiny)
    assert accepted_rows(tiny, VISITS) == list(range(2, 402))


@pytest.mark.parametrize("who", [{"by": " "}, {"reason": ""}])
def test_a_decision_takes_a_person_and_a_reason(tiny, who):
    send(tiny)
    judge(tiny)
    with pytest.raises(DecisionRefused, match="a person's name and a reason"):
        decide(tiny, "release", **who)


def test_a_decision_is_on_record_and_stays_when_another_follows(tiny):
    send(tiny)
    judge(tiny)
    decide(tiny, "discard")
    with pytest.raises(DecisionRefused, match="it was decided before to discard"):
        decide(tiny, "discard")
    decide(tiny, "release", by="Wang Wei")
    entries = [entry["body"] for entry in log.read_entries(tiny.settings) if entry["event"] == "quarantine_decided"]
    assert [(entry["decision"], entry["by"]) for entry in entries] == [("discard", "Li Na"), ("release", "Wang Wei")]
    assert entries[0]["marks"] == [["landing.core__customers.gender.known_code", 3]]
    shown = quarantine.show_quarantine(tiny.settings, tiny.profile, CUSTOMERS, DAY)["decisions"]
    assert [entry["decision"] for entry in shown] == ["discard", "release"]
    assert [entry["evidence_entry"] for entry in shown] == [1, 2]
    judge(tiny)
    assert accepted_rows(tiny, CUSTOMERS) == list(range(2, 402))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rows": [4]}, "has no row 4 in quarantine"),
        ({"rows": None, "rule": "birth_date.readable"}, "only gender.known_code"),
        ({"rows": None}, "say which rows"),
        ({"table": "core__nothing"}, "tiny has no table core__nothing"),
        ({"table": "core__balances"}, "has nothing in quarantine"),
    ],
)
def test_what_is_not_there_is_said_so(tiny, given, said):
    send(tiny)
    judge(tiny)
    with pytest.raises(DecisionRefused, match=said):
        decide(tiny, "release", **given)


def test_a_corrected_delivery_replaces_what_was_to_be_decided(tiny):
    send(tiny)
    judge(tiny)
    tiny.send(CUSTOMERS, customers(400), DAY, sequence=2)
    judge(tiny)
    assert quarantine.list_quarantine(tiny.settings, tiny.profile)[0]["states"] == {"replaced": 1}
    with pytest.raises(DecisionRefused, match="nothing in quarantine that is in force"):
        decide(tiny, "release")


def test_killed_between_the_tables_of_a_release_the_next_run_makes_the_rest(tiny, monkeypatch):
    send(tiny)
    judge(tiny)
    decide(tiny, "release")
    make, made = held_rows._make_accepted, []

    def die_after_one(*arguments) -> None:
        if made:
            raise KeyboardInterrupt
        made.append(make(*arguments))

    monkeypatch.setattr(held_rows, "_make_accepted", die_after_one)
    with pytest.raises(KeyboardInterrupt):
        judge(tiny)
    monkeypatch.undo()
    judge(tiny)
    for table in (CUSTOMERS, VISITS, NOTES):
        assert accepted_rows(tiny, table) == list(range(2, 402))


def test_killed_between_the_log_and_the_decision_it_can_be_taken_again(tiny, monkeypatch):
    send(tiny)
    judge(tiny)

    def die(*arguments) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decisions, "write_json", die)
    with pytest.raises(KeyboardInterrupt):
        decide(tiny, "release")
    monkeypatch.undo()
    assert counts(judge(tiny), CUSTOMERS) == (400, 399, 1, 0, 0)
    decide(tiny, "release")
    assert counts(judge(tiny), CUSTOMERS) == (400, 400, 0, 0, 0)


def test_a_row_that_vanished_from_the_accepted_ones_shuts_the_gate(tiny):
    """Rows read = loaded + quarantined + rejected is proven on the files, not computed."""
    send(tiny)
    judge(tiny)
    file = accepted_on(tiny.settings, tiny.spec(VISITS), DAY).folder / ACCEPTED
    pq.write_table(pq.read_table(file).slice(1), file)
    with pytest.raises(GateFailed, match="400 rows read, but 398 loaded, 1 quarantined and 0 rejected"):
        judge(tiny)


def test_when_only_orphans_are_set_aside_the_sentence_names_the_file_and_the_rule_at_fault(tiny):
    send(tiny)
    tiny.send("core__balances", [{**BALANCE, "customer_id": "C2"}])
    with pytest.raises(GateFailed) as shut:
        judge(tiny)
    assert str(shut.value) == (
        f"the landing gate is shut: balances.csv of {DAY} has 1 bad of 1 rows (the file carries money): they refer to rows"
        " set aside in customers.csv, which has 1 bad rows: gender is one of female, male. Ask the source system for a"
        " corrected delivery"
    )


def test_a_value_too_long_rejects_its_row_and_too_many_of_them_shut_the_gate(tiny):
    send(tiny, gender="female", customer_name="长" * 1_000_000)
    verdict = judge(tiny)
    assert counts(verdict, CUSTOMERS) == (400, 399, 0, 1, 0)
    rows = customers(100)
    rows[1]["customer_name"] = "长" * 1_000_000
    tiny.send_all(rows, [BALANCE], TUESDAY)
    tiny.send(VISITS, [{"visit_id": "V1", "customer_id": "C1"}], TUESDAY)
    tiny.send(NOTES, [], TUESDAY)
    with pytest.raises(GateFailed, match="customers.csv of 2026-06-02 has 1 bad of 100 rows .*values too long"):
        judge(tiny, TUESDAY)


@pytest.fixture
def command(tiny, monkeypatch):
    monkeypatch.setattr(quarantine_commands, "load_settings", lambda bank: tiny.settings)
    send(tiny)
    judge(tiny)

    def run(*arguments: str):
        return CliRunner().invoke(cli.app, ["quarantine", *arguments])

    return run


def test_the_verbs_list_show_release_and_discard(tiny, command):
    where = ("--table", CUSTOMERS, "--date", str(DAY))
    who = ("--by", "Li Na", "--reason", "confirmed")
    (first, *_) = json.loads(command("list", "--json").output)
    assert first["rules"] == {"gender.known_code": 1}
    assert json.loads(command("show", *where, "--json").output)["rows"][0]["source_row"] == 3
    assert "1 rows discarded" in command("discard", *where, *who, "--rule", "gender.known_code").output
    assert "1 rows released" in command("release", *where, *who, "--rows", "3").output
    for arguments in (("list",), ("show", *where)):
        output = command(*arguments).output
        assert "gender" in output and CANARY not in output
    assert command("release", *where, "--by", "x", "--rows", "3").exit_code == 2  # no reason


def test_rows_that_are_no_numbers_are_refused(command):
    found = command(
        "release", "--table", CUSTOMERS, "--date", str(DAY), "--by", "a", "--reason", "b", "--rows", "three"
    )
    assert isinstance(found.exception, DecisionRefused)


def test_what_was_released_was_not_known_before_and_begins_a_belief_when_its_month_was_closed(tiny):
    send(tiny)
    judge(tiny)
    month_end = date(DAY.year, DAY.month + 1, 1) - timedelta(days=1)
    assert find_revisions(tiny.settings, tiny.profile, month_end) == []
    decide(tiny, "release")
    judge(tiny)
    [revision] = find_revisions(tiny.settings, tiny.profile, month_end)
    assert (revision.extract.table, revision.of_closed_month) == (CUSTOMERS, True)
    released = revision.received_at.replace(tzinfo=UTC)

    def held_back(moment: datetime) -> dict[str, list[int]]:
        batches = accepted_batches(tiny.settings, tiny.profile, month_end)
        held = held_rows.held_back_until(tiny.settings, tiny.profile, batches, moment)
        return {batch.table: held[batch.folder] for batch in batches if batch.folder in held}

    assert held_back(released) == {CUSTOMERS: [3], VISITS: [3], NOTES: [3]}
    assert held_back(released + timedelta(seconds=1)) == {}


def test_a_decision_shows_in_the_database_that_dbt_reads(tiny):
    send(tiny)
    judge(tiny)
    decide(tiny, "release")
    judge(tiny)
    file = accepted_on(tiny.settings, tiny.spec(CUSTOMERS), DAY).folder / ACCEPTED
    with duckdb.connect() as connection:
        assert connection.execute(
            f"select count(*), max(gender) from '{file}' where gender = '{CANARY}'"
        ).fetchone() == (
            1,
            CANARY,
        )
        assert CUSTOMER["customer_id"] == "C1"
