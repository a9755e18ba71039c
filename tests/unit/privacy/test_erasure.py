"""Erasure: nothing of the customer stays in landing or quarantine, nothing of anybody else changes, and all of it is on record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conftest import settings_in
from personal_data import traces_in
from publish.candidates import content_of, publish
from unit.tiny_bank import BALANCE, CUSTOMER, DAY, TUESDAY, TinyBank, profile_body, write_profile

from crm_warehouse import pipeline
from crm_warehouse.errors import AnotherAtWork, ErasureRefused
from crm_warehouse.evidence import kept as evidence
from crm_warehouse.evidence import log
from crm_warehouse.files import read_json, sha256_of, write_json
from crm_warehouse.landing import ACCEPTED, ROWS, Batch, current_batches
from crm_warehouse.privacy import erasure, redaction
from crm_warehouse.privacy.redaction import pseudonym_of
from crm_warehouse.privacy.tokens import read_key
from crm_warehouse.processes import one_writer
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.publish import kept
from crm_warehouse.publish.kept import kept_versions
from crm_warehouse.quality.landing_gate import run_landing_gate

CUSTOMERS, BALANCES = "core__customers", "core__balances"
PERSONAL = {"C2", "张丽华文"}
PEOPLE = [CUSTOMER, {**CUSTOMER, "customer_id": "C2", "customer_name": "张丽华文"}, {**CUSTOMER, "customer_id": "C3"}]
MONEY = [BALANCE, {**BALANCE, "account_id": "A2", "customer_id": "C2"}]


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> TinyBank:
    """Two days are accepted; on the second the row of C2 is in quarantine."""
    bank = TinyBank.below(tmp_path_factory.mktemp("accepted"))
    others = [{**CUSTOMER, "customer_id": f"C{n}"} for n in range(4, 400)]
    bank.send_all([*PEOPLE, *others], MONEY)
    bank.send_all([PEOPLE[0], {**PEOPLE[1], "gender": "?"}, PEOPLE[2], *others], [BALANCE], TUESDAY)
    judge(bank, DAY)
    judge(bank, TUESDAY)
    return bank


@pytest.fixture
def tiny(accepted: TinyBank, tmp_path: Path) -> TinyBank:
    """A copy of that bank's home and of what it sent."""
    for folder in ("home", "sent"):
        shutil.copytree(accepted.settings.home.with_name(folder), tmp_path / folder)
    return TinyBank(replace(accepted.settings, home=tmp_path / "home", source_root=tmp_path / "sent"), accepted.profile)


def judge(tiny: TinyBank, day: date):
    tiny.land_all(day)
    database = tiny.settings.warehouse / "landing_gate.duckdb"
    verdict = run_landing_gate(tiny.settings, tiny.profile, [day], database, silent)
    verdict.require_open()
    return verdict


def erase(tiny: TinyBank, customer: str = "C2") -> dict:
    return erasure.erase(tiny.settings, tiny.profile, customer, by="data protection", reason="request 7")


def batch_of(tiny: TinyBank, table: str, day: date = DAY) -> Batch:
    return current_batches(tiny.settings, tiny.spec(table), [day])[0]


def rows_of(tiny: TinyBank, table: str, file: str = ACCEPTED, day: date = DAY) -> list[dict]:
    return pq.read_table(batch_of(tiny, table, day).folder / file).to_pylist()


def files_in(settings) -> dict[str, str]:
    """Every file of landing and quarantine with its hash."""
    files = (file for folder in (settings.landing, settings.quarantine) for file in folder.rglob("*.parquet"))
    return {str(file.relative_to(settings.home)): sha256_of(file) for file in files}


def test_no_file_of_the_home_names_an_erased_customer_any_more(tiny):
    assert {Path(file).name for file, _ in traces_in(tiny.settings.home, PERSONAL)} >= {ROWS, ACCEPTED, "customers.csv"}
    erase(tiny)
    assert traces_in(tiny.settings.home, PERSONAL) == []


def test_accounts_and_amounts_stay_under_a_pseudonym_and_of_the_description_nothing_does(tiny):
    before = rows_of(tiny, CUSTOMERS), rows_of(tiny, BALANCES)
    erase(tiny)
    name = pseudonym_of(read_key(tiny.settings), "C2")
    blank = dict.fromkeys(before[0][1]) | {"customer_id": name, "_source_row": 3}
    assert rows_of(tiny, CUSTOMERS) == [before[0][0], blank, *before[0][2:]]
    assert rows_of(tiny, BALANCES) == [before[1][0], {**before[1][1], "customer_id": name}]


def test_originals_that_named_the_customer_go_and_others_stay(tiny):
    erase(tiny)
    original = {
        (table, day): (batch_of(tiny, table, day).folder / batch_of(tiny, table, day).manifest["file"]).is_file()
        for table in (CUSTOMERS, BALANCES)
        for day in (DAY, TUESDAY)
    }
    assert original == {
        (CUSTOMERS, DAY): False,
        (CUSTOMERS, TUESDAY): False,
        (BALANCES, DAY): False,
        (BALANCES, TUESDAY): True,
    }


def test_an_erasure_is_on_record_before_it_begins_and_with_every_file_before_and_after(tiny):
    before = files_in(tiny.settings)
    done = erase(tiny)
    asked, erased = (entry["body"] for entry in log.read_entries(tiny.settings)[-2:])
    assert asked == {
        "bank": "tiny",
        "number": 1,
        "customer": done["customer"],
        "asked_by": "data protection",
        "reason": "request 7",
    }
    lines = [json.loads(line) for line in evidence.read(tiny.settings, erased["files_sha256"]).splitlines()]
    after = files_in(tiny.settings)
    changed = {line["file"]: (line["sha256_before"], line["sha256_after"]) for line in lines if line["sha256_after"]}
    assert changed == {file: (before[file], after[file]) for file in before if before[file] != after[file]}
    assert len(lines) == erased["files"] == len(changed) + 3  # and the originals
    assert len(changed) == 6  # rows of three batches, what was accepted of two, and a quarantine


def test_the_gate_finds_nothing_wrong_in_what_was_redacted(tiny):
    first, second = ((verdict.gate.passed, verdict.batches) for verdict in (judge(tiny, DAY), judge(tiny, TUESDAY)))
    erase(tiny)
    assert (judge(tiny, DAY).gate.passed, judge(tiny, DAY).batches) == first
    again = judge(tiny, TUESDAY)
    assert (again.gate.passed, again.batches) == (second[0] + 1, second[1])  # there is no gender to be unknown
    for sent in (DAY, TUESDAY):
        assert all(result.status == "passed" for result in judge(tiny, sent).gate.results)


def test_what_the_source_still_sends_of_an_erased_customer_lands_without_them(tiny, monkeypatch):
    erase(tiny)
    tiny.send_all(PEOPLE, MONEY, date(2026, 6, 3))
    plan = {"run_id": "next", "business_dates": ["2026-06-03"]}
    write_json(tiny.settings.run_folder("next") / "plan.json", plan)
    monkeypatch.setattr(pipeline, "load_profile", lambda settings: tiny.profile)
    pipeline.extract_source(tiny.settings, "next", "core", silent)
    batch = batch_of(tiny, CUSTOMERS, date(2026, 6, 3))
    assert [row["customer_id"] for row in pq.read_table(batch.folder / ROWS).to_pylist()] == [
        "C1",
        pseudonym_of(read_key(tiny.settings), "C2"),
        "C3",
    ]
    assert batch.manifest["sha256"] == sha256_of(tiny.spec(CUSTOMERS).path(tiny.settings.source_root, date(2026, 6, 3)))
    assert traces_in(tiny.settings.home, PERSONAL) == []


@pytest.mark.parametrize("killed_at", range(1, 8))
def test_an_erasure_that_is_killed_is_ended_by_the_next_run_with_the_same_files_on_record(
    tiny, tmp_path, monkeypatch, killed_at
):
    class Killed(BaseException):
        pass

    def die_at(count: int, does: Callable) -> Callable:
        calls = iter(range(1, 100))

        def call(*arguments):
            if next(calls) == count:
                raise Killed
            return does(*arguments)

        return call

    monkeypatch.setattr(erasure, "redact", die_at(killed_at, redaction.redact))
    with pytest.raises(Killed):
        erase(tiny)
    assert [entry["event"] for entry in log.read_entries(tiny.settings)][-1] == "erasure_asked"
    monkeypatch.setattr(erasure, "redact", redaction.redact)
    (done,) = erasure.finish(tiny.settings, tiny.profile)
    assert traces_in(tiny.settings.home, PERSONAL) == []
    assert done["files"] == 9
    lines = [json.loads(line) for line in evidence.read(tiny.settings, done["files_sha256"]).splitlines()]
    after = files_in(tiny.settings)
    assert all(line["sha256_after"] == after[line["file"]] for line in lines if line["sha256_after"])
    assert erasure.finish(tiny.settings, tiny.profile) == []
    assert log.verify(tiny.settings) is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"customer_id": "C9999"}, "no delivery of tiny names such a customer"),
        ({"by": " "}, "a person's name and a reason"),
        ({"reason": ""}, "a person's name and a reason"),
    ],
)
def test_an_erasure_of_nobody_or_by_nobody_is_refused_and_changes_nothing(tiny, asked, says):
    before = files_in(tiny.settings)
    with pytest.raises(ErasureRefused, match=says):
        erasure.erase(tiny.settings, tiny.profile, **{"customer_id": "C2", "by": "me", "reason": "why", **asked})
    assert files_in(tiny.settings) == before
    assert log.read_entries(tiny.settings) == []


def test_a_second_request_for_the_same_customer_says_that_it_was_done(tiny):
    erase(tiny)
    with pytest.raises(ErasureRefused, match="erased before: erasure 1, asked for by data protection"):
        erase(tiny)


def test_no_erasure_while_a_run_is_at_work_and_the_request_is_kept(tiny):
    with one_writer(tiny.settings), pytest.raises(AnotherAtWork, match="another run of tiny is at work"):
        erase(tiny)
    assert len(erasure.finish(tiny.settings, tiny.profile)) == 1
    assert traces_in(tiny.settings.home, PERSONAL) == []


def test_a_personal_value_is_found_where_no_customer_id_stands_beside_it(tmp_path):
    body = profile_body()
    extracts = body["sources"]["core"]["extracts"]
    extracts["customers"]["columns"]["phone"] = {"type": "text", "personal": True}
    extracts["calls"] = {"delivery": "events", "columns": {"phone": {"type": "text", "key": True, "personal": True}, "minutes": {"type": "integer"}}}  # fmt: skip
    settings = write_profile(tmp_path, body)
    tiny = TinyBank(settings, load_profile(settings))
    tiny.send_all([{**CUSTOMER, "phone": "13800000001"}, {**PEOPLE[1], "phone": "13800000002"}], MONEY)
    tiny.send("core__calls", [{"phone": "13800000001", "minutes": "3"}, {"phone": "13800000002", "minutes": "4"}])
    judge(tiny, DAY)
    erase(tiny)
    calls = rows_of(tiny, "core__calls")
    assert [(row["phone"], row["minutes"]) for row in calls] == [
        ("13800000001", 3),
        (pseudonym_of(read_key(settings), "13800000002"), 4),
    ]
    assert traces_in(settings.home, {*PERSONAL, "13800000002"}) == []


def test_versions_of_before_an_erasure_are_gone_after_27_days_pinned_or_not_and_the_live_one_stays(tmp_path):
    home = settings_in(tmp_path / "home")
    first, second = publish(home, 1), publish(home, 2)
    kept.pin(home, first["version"], "audit")
    asked_at = datetime.now(UTC) + timedelta(hours=1)
    write_json(home.erasures, [{"number": 1, "asked_at": asked_at.isoformat(), "pseudonyms": []}])
    for days, left in ((26.9, [1, 2]), (27, [2])):
        kept.retain(home, second, asked_at + timedelta(days))
        assert sorted(content_of(home, version) for version in kept_versions(home)) == left
    assert read_json(home.published / "current.json")["version"] == second["version"]


def test_a_version_published_after_the_erasure_is_kept(tmp_path):
    home = settings_in(tmp_path / "home")
    write_json(home.erasures, [{"number": 1, "asked_at": "2026-01-01T00:00:00+00:00", "pseudonyms": []}])
    publish(home, 1)
    live = publish(home, 2)
    kept.retain(home, live, datetime.now(UTC) + timedelta(days=300))
    assert len(kept_versions(home)) == 2
