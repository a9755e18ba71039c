"""The campaign of corruptions: its arithmetic on hand-made records, and the whole harness on a handful of kinds."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from benchmarks import fault_report
from benchmarks.fault_bank import FaultBank, accept_clean_days, append_record, read_records
from benchmarks.fault_cases import Workspace, tables_of
from benchmarks.fault_plan import Campaign, cases_of, damaged_days
from benchmarks.fault_verdicts import Judge, ablate, by_principle, wilson
from benchmarks.faults import run_campaign
from crm_warehouse.progress import silent
from expectations.landing import build_rules

CLEAN = {
    "day": "d",
    "failed": {"usual": {"severity": "warn", "status": "failed", "rows": 1}},
    "set_aside": [],
    "rows_read": {},
}
JUDGE = Judge({"d": CLEAN}, frozenset({"money"}), 0.005)


def record(expected: str = "block", **changes: object) -> dict:
    """A record of a case that passed the gate as the clean day does."""
    failed = {
        rule: {"severity": severity, "status": "failed", "rows": 1}
        for rule, severity in changes.pop("failed", {}).items()
    }
    body = {
        "id": "kind|source|d|1|7", "kind": "sign_flipped", "way": "source", "day": "d", "expected": expected, "table": "t",
        "magnitude": 1.0, "stopped_at": None, "failed": CLEAN["failed"] | failed, "set_aside": [], "rows_read": {"t": 1000},
        "damaged_rows": 2,
    }  # fmt: skip
    return body | changes


def aside(rows: int, damaged: int, *rules: str, table: str = "t") -> dict:
    return {"table": table, "rules": list(rules), "rows": rows, "damaged": damaged}


@pytest.mark.parametrize(
    ("caught", "cases", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 10, 0.4902, 0.9433), (50, 100, 0.4038, 0.5962), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilson_s(caught, cases, low, high):
    assert wilson(caught, cases) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(
    ("made", "outcome", "is_caught"),
    [
        (record(), "unnoticed", False),
        (record("accept"), "unnoticed", True),
        (record("accept", failed={"r": "warn"}), "warned", False),
        (record(failed={"r": "block"}), "blocked", True),
        (record(failed={"r": "warn"}), "warned", False),
        (record("warn", failed={"r": "warn"}), "warned", True),
        (record("warn"), "unnoticed", False),
        (record(stopped_at="extract"), "blocked", True),
        (record("quarantine", failed={"r": "quarantine"}, set_aside=[aside(2, 2, "r")]), "quarantined", True),
        (record("quarantine", failed={"r": "quarantine"}, set_aside=[aside(1, 1, "r")]), "quarantined", False),
        (record("quarantine", failed={"r": "quarantine"}, set_aside=[aside(6, 0, "r")]), "blocked", True),
        (record("quarantine", failed={"r": "quarantine"}, set_aside=[aside(1, 1, "r", table="money")]), "blocked", True),
        (record(failed={"r": "quarantine"}, set_aside=[aside(2, 2, "r")]), "quarantined", False),
    ],
)  # fmt: skip
def test_what_became_of_a_case_is_judged_against_the_clean_day(made, outcome, is_caught):
    assert (JUDGE.outcome(made), JUDGE.is_caught(made)) == (outcome, is_caught)


def test_a_rule_that_fails_on_the_clean_day_too_catches_nothing():
    assert JUDGE.caught_by(record("warn")) == []


def test_ablation_takes_each_rule_away_in_turn():
    records = [
        record(failed={"a": "block", "b": "block"}, id="both"),
        record(failed={"a": "block"}, id="alone"),
        record(
            "quarantine",
            failed={"q": "quarantine", "p": "quarantine"},
            id="rows",
            set_aside=[aside(1, 1, "q"), aside(1, 1, "p", "q")],
        ),
        record(stopped_at="extract", id="before the gate"),
    ]
    found = ablate(JUDGE, records, {rule: frozenset([rule]) for rule in "abpqz"})
    assert found.alone == {"a": ["alone"], "q": ["rows"]}
    assert found.redundant == ["b", "p"]
    assert found.untested == ["z"]


def test_principles_are_the_last_part_of_ids():
    groups = by_principle(["landing.t.key_unique", "landing.u.key_unique", "landing.t.c.known_code"])
    assert groups == {
        "key_unique": {"landing.t.key_unique", "landing.u.key_unique"},
        "known_code": {"landing.t.c.known_code"},
    }


def test_a_clean_day_is_no_alarm_and_a_blocked_one_is():
    quiet = {"day": "1", "failed": {}, "set_aside": [], "rows_read": {}, "stopped_at": None}
    shut = {**quiet, "day": "2", "failed": {"r": {"severity": "block", "status": "failed", "rows": 1}}}
    scored = fault_report.score(JUDGE, [], [quiet, shut], ["r"], {"customers": 1})
    assert scored["false_alarms"]["blocked"] == ["2"]
    assert scored["false_alarms"]["outcomes"] == {"unnoticed": 1, "blocked": 1}
    assert scored["goals"][2] | {"goal": ""} == {"goal": "", "found": 1, "of": 2, "is_met": False}


def test_days_are_told_apart():
    march = [
        date(2026, 3, 31),
        date(2026, 4, 1),
        date(2026, 4, 2),
        date(2026, 4, 3),
        date(2026, 4, 7),
        date(2026, 4, 8),
    ]
    assert damaged_days(march) == {"ordinary": date(2026, 4, 8), "after_holiday": date(2026, 4, 7)}
    assert damaged_days([*march, date(2026, 4, 29), date(2026, 4, 30), date(2026, 5, 6)])["month_end"] == date(
        2026, 4, 30
    )


def test_a_torn_last_line_is_written_again(tmp_path: Path):
    file = tmp_path / "cases.jsonl"
    append_record(file, {"id": 1})
    with file.open("a") as torn:
        torn.write('{"id": 2, "ki')
    assert read_records(file) == [{"id": 1}]
    append_record(file, {"id": 3})
    assert read_records(file) == [{"id": 1}, {"id": 3}]


KINDS = ("duplicated_rows", "rows_in_another_order", "unknown_customer")
CAMPAIGN = Campaign(
    customers=300,
    history_from=date(2024, 6, 1),
    first=date(2026, 5, 31),
    last=date(2026, 6, 1),
    day_types=("ordinary",),
    seeds=1,
    magnitudes=False,
    kinds=KINDS,
)


# Rows set aside and what refers to them, a table that many name, history, the ledger, a file beside, a broken file.
JUDGED_IN_PART = (
    "addresses_for_mobiles",
    "customers_vanish",
    "product_missing",
    "sign_flipped",
    "same_file_new_name",
    "header_missing",
)


def test_a_case_judged_in_part_has_the_record_of_the_whole(simulated_bank: Path, tmp_path: Path):
    bank = FaultBank(simulated_bank, tmp_path / "home", CAMPAIGN.first)
    days = bank.business_days(CAMPAIGN.last)
    clean = accept_clean_days(bank, days, tmp_path / "clean.jsonl", silent)[CAMPAIGN.last.isoformat()]
    part, whole = (Workspace(bank, tmp_path / name, clean, whole=name == "whole") for name in ("part", "whole"))
    campaign = dataclasses.replace(CAMPAIGN, kinds=JUDGED_IN_PART)
    cases = [c for c in cases_of(campaign, bank.profile, {"ordinary": CAMPAIGN.last}) if c.way == "source"]
    assert len(cases) == len(JUDGED_IN_PART)
    outcomes = set()
    for case in cases:
        record = part.run(case)
        assert record == whole.run(case), case.id
        outcomes.add((bool(record["failed"]), bool(record["set_aside"]), record["stopped_at"]))
    assert len(outcomes) > 2  # rows set aside, rules failed without, stopped before the gate


def test_the_tables_that_a_rule_names_are_found(simulated_bank: Path, tmp_path: Path):
    bank = FaultBank(simulated_bank, tmp_path / "home", CAMPAIGN.first)
    profile = bank.profile
    known = {spec.table for spec in profile.extracts}
    named = {rule.id: tables_of(rule, known) for rule in build_rules(profile)}
    assert named["landing.core__customers.rows_present"] == {"core__customers"}
    assert named["landing.core__balances.balance_amount.rolls_forward"] == {
        "core__balances",
        "core__transactions",
        "core__accounts",
    }
    assert {"core__balances", "core__loans", "core__cards"} <= named[
        "landing.finance__ledger_balances.balance_amount.ties_to_accounts"
    ]


def test_a_small_campaign_from_source_to_score(simulated_bank: Path, tmp_path: Path):
    bank = FaultBank(simulated_bank, tmp_path / "home", CAMPAIGN.first)
    before = {path: path.stat().st_mtime_ns for path in simulated_bank.rglob("*") if path.is_file()}
    scored = run_campaign(CAMPAIGN, bank, tmp_path, 1, lambda step: silent)
    kinds = {(kind["kind"], kind["way"]): kind for kind in scored["kinds"]}
    assert set(kinds) == {
        ("duplicated_rows", "source"), ("duplicated_rows", "transit"), ("rows_in_another_order", "source"),
        ("unknown_customer", "source"), ("unknown_customer", "transit"),
    }  # fmt: skip
    assert all(kind["is_caught"] for kind in kinds.values())
    assert kinds["duplicated_rows", "transit"]["caught_by"] == ["(extract) ExtractError"]
    assert any(rule.endswith("key_unique") for rule in kinds["duplicated_rows", "source"]["caught_by"])
    assert kinds["unknown_customer", "source"]["outcomes"] in ({"quarantined": 1}, {"blocked": 1})
    assert scored["false_alarms"]["days"] == 1
    assert before == {path: path.stat().st_mtime_ns for path in simulated_bank.rglob("*") if path.is_file()}
    assert "## Goals" in fault_report.as_markdown(scored)
    again = run_campaign(dataclasses.replace(CAMPAIGN), bank, tmp_path, 1, lambda step: silent)
    assert again["kinds"] == scored["kinds"]
    assert again["campaign"]["resumed"]
    assert len(list(cases_of(CAMPAIGN, bank.profile, {"ordinary": CAMPAIGN.last}))) == 5
