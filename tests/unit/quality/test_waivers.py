"""Waivers: asked for by one, approved by another, within bounds; then a rule that blocks lets so many bad rows pass."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import FIRST, LAST, Run, settings_in
from typer.testing import CliRunner

import expectations.landing
import expectations.marts
from crm_warehouse import cli, pipeline
from crm_warehouse.errors import GateFailed, WaiverRefused
from crm_warehouse.evidence import log
from crm_warehouse.evidence.pack import pack_evidence
from crm_warehouse.evidence.quality_results import gather
from crm_warehouse.explain.number_facts import read_number_facts
from crm_warehouse.explain.number_sentences import sentences
from crm_warehouse.files import sha256_of, write_json
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.publish import versions
from crm_warehouse.quality import waivers
from crm_warehouse.quality.gate import GateResult, RuleResult
from crm_warehouse.settings import Settings

TODAY = date(2026, 7, 1)
FEED = "marts.fct_customer_tiers_monthly.feed_came"
MONEY = "landing.core__balances.balance_amount.rolls_forward"
ASKED = {"ceiling": 10, "expires_on": TODAY + timedelta(days=30), "by": "Li Na", "reason": "holdings come tomorrow"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


def ask(settings: Settings, rule: str = FEED, first: date = LAST, last: date = LAST, **changed) -> dict:
    profile = load_profile(settings)
    rules = [*expectations.landing.build_rules(profile), *expectations.marts.build_rules(profile, {}, {}, TODAY)]
    return waivers.ask(settings, profile, rules, rule, first, last, **{**ASKED, **changed}, today=TODAY)


def judged(
    settings: Settings, failed_rows: int = 3, dates: tuple[date, ...] = (LAST,), today: date = TODAY
) -> GateResult:
    failed = RuleResult({"id": FEED, "severity": "block"}, "failed", 100, failed_rows)
    return waivers.apply_waivers(settings, GateResult("mart", 1, [failed]), dates, today)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rule": "marts.nothing.at_all"}, "has no rule"),
        ({"rule": "landing.core__transactions.learned.near"}, "does not block"),
        ({"rule": MONEY}, "cannot be waived"),
        ({"expires_on": TODAY + timedelta(days=31)}, "ends within 30 days"),
        ({"expires_on": TODAY - timedelta(days=1)}, "ends within 30 days"),
        ({"first": LAST, "last": FIRST}, "is after the last"),
        ({"ceiling": 0}, "1 or more"),
        ({"by": " "}, "a person's name and a reason"),
        ({"reason": ""}, "a person's name and a reason"),
    ],
)
def test_what_may_not_be_waived_is_refused_and_leaves_nothing_behind(settings, changed: dict, said: str):
    with pytest.raises(WaiverRefused, match=said):
        ask(settings, **changed)
    assert waivers.read_waivers(settings) == [] and log.read_entries(settings) == []


def test_rules_about_money_cannot_be_waived(settings):
    profile = load_profile(settings)
    rules = [*expectations.landing.build_rules(profile), *expectations.marts.build_rules(profile, {}, {}, TODAY)]
    waivable = {rule.id.split(".", 2)[2] for rule in rules if rule.may_be_waived and rule.severity == "block"}
    assert {name.split(".")[-1] for name in waivable} == {
        "volume",
        "values",
        "codes",
        "times",
        "amounts",
        "few_change",
        "feed_came",
    }


def test_who_asked_cannot_approve(settings):
    ask(settings)
    with pytest.raises(WaiverRefused, match="another person"):
        waivers.approve(settings, 1, by=" li na", today=TODAY)
    assert not judged(settings).is_open


def test_a_waiver_holds_once_it_is_approved_until_it_ends_or_is_revoked(settings):
    ask(settings)
    assert not judged(settings).is_open
    waivers.approve(settings, 1, by="Wang Fang", today=TODAY)
    (result,) = judged(settings).results
    assert result.status == "waived" and judged(settings).is_open and judged(settings).passed == 0
    assert (
        result.detail == "Waiver 1 until 2026-07-31, asked for by Li Na, approved by Wang Fang: holdings come tomorrow"
    )
    assert judged(settings, today=ASKED["expires_on"]).is_open
    assert not judged(settings, today=ASKED["expires_on"] + timedelta(days=1)).is_open
    with pytest.raises(WaiverRefused, match="in force"):
        waivers.approve(settings, 1, by="Wang Fang", today=TODAY)
    waivers.revoke(settings, 1, by="Wang Fang", reason="they came", today=TODAY)
    assert not judged(settings).is_open
    with pytest.raises(WaiverRefused, match="revoked already"):
        waivers.revoke(settings, 1, by="Wang Fang", reason="they came", today=TODAY)


def test_what_nobody_asked_for_or_what_is_over_cannot_be_approved_and_takes_a_name(settings):
    ask(settings)
    with pytest.raises(WaiverRefused, match="there is no waiver 2"):
        waivers.approve(settings, 2, by="Wang Fang", today=TODAY)
    with pytest.raises(WaiverRefused, match="waiver 1 is expired"):
        waivers.approve(settings, 1, by="Wang Fang", today=TODAY + timedelta(days=31))
    with pytest.raises(WaiverRefused, match="a person's name and a reason"):
        waivers.approve(settings, 1, by="", today=TODAY)
    with pytest.raises(WaiverRefused, match="a person's name and a reason"):
        waivers.revoke(settings, 1, by="Wang Fang", reason=" ", today=TODAY)
    assert len(log.read_entries(settings)) == 1 and not judged(settings).is_open


def test_every_rule_about_money_in_every_bank_is_refused(settings):
    """Not by its name: whatever blocks and does not say that it may be waived."""
    profile = load_profile(settings)
    rules = [*expectations.landing.build_rules(profile), *expectations.marts.build_rules(profile, {}, {}, TODAY)]
    blocking = [rule.id for rule in rules if rule.severity == "block" and not rule.may_be_waived]
    assert len(blocking) > 300 and MONEY in blocking
    for rule_id in blocking:
        with pytest.raises(WaiverRefused, match="cannot be waived"):
            waivers.ask(settings, profile, rules, rule_id, LAST, LAST, **ASKED, today=TODAY)
    assert waivers.read_waivers(settings) == [] and log.read_entries(settings) == []


def test_no_more_rows_no_other_date_and_no_other_rule_are_covered(settings):
    ask(settings, first=date(2026, 6, 29))
    waivers.approve(settings, 1, by="Wang Fang", today=TODAY)
    assert judged(settings, 10).is_open and judged(settings, dates=(date(2026, 6, 29), LAST)).is_open
    assert "covers 10 bad rows, not 11" in judged(settings, 11).results[0].detail and not judged(settings, 11).is_open
    assert not judged(settings, dates=(date(2026, 6, 28), LAST)).is_open
    other = RuleResult({"id": "marts.x.y", "severity": "block"}, "failed", 100, 1)
    assert not waivers.apply_waivers(settings, GateResult("mart", 1, [other]), [LAST], TODAY).is_open
    broken = RuleResult({"id": FEED, "severity": "block"}, "error", 100, 0)
    assert not waivers.apply_waivers(settings, GateResult("mart", 1, [broken]), [LAST], TODAY).is_open


def test_each_step_is_in_the_evidence_log(settings):
    ask(settings)
    waivers.approve(settings, 1, by="Wang Fang", today=TODAY)
    waivers.revoke(settings, 1, by="Li Na", reason="they came", today=TODAY)
    entries = log.read_entries(settings)
    assert [entry["event"] for entry in entries] == ["waiver_asked", "waiver_approved", "waiver_revoked"]
    (kept,) = waivers.read_waivers(settings)
    assert [kept[name] for name in ("asked_entry", "approved_entry", "revoked_entry")] == [
        e["sequence"] for e in entries
    ]
    assert log.verify(settings) is None


def test_a_month_with_a_missing_feed_is_published_under_a_waiver_only_and_the_report_says_so(
    reference_run: Run, tmp_path
):
    settings = settings_in(tmp_path / "home", source_root=reference_run.settings.source_root)
    for folder in ("landing", "secrets", "evidence"):
        shutil.copytree(reference_run.settings.home / folder, settings.home / folder)
    pipeline.plan_run(settings, "late", LAST, LAST)
    built = pipeline.read_result(reference_run.settings, "reference", "build")
    candidate = tmp_path / "candidate.duckdb"
    shutil.copyfile(built["candidate"], candidate)
    with duckdb.connect(str(candidate)) as connection:
        connection.execute(
            "update marts.fct_customer_tiers_monthly set is_feed_missing = true where rowid < 2; checkpoint"
        )
    candidates = {"candidate": str(candidate), "candidate_sha256": sha256_of(candidate)}
    write_json(settings.run_folder("late") / "build.json", {**built, **candidates})
    with pytest.raises(GateFailed, match="feed_came"):
        pipeline.judge_marts(settings, "late", silent)
    today = datetime.now(UTC).date()
    waiver = {"ceiling": 2, "expires_on": today, "by": "Li Na", "reason": "holdings come tomorrow"}
    profile = load_profile(settings)
    waivers.ask(
        settings,
        profile,
        expectations.marts.build_rules(profile, {}, {}, today),
        FEED,
        LAST,
        LAST,
        **waiver,
        today=today,
    )
    waivers.approve(settings, 1, by="Wang Fang", today=today)
    pipeline.judge_marts(settings, "late", silent)
    landing = reference_run.settings.run_folder("reference") / "landing_gate.json"
    shutil.copyfile(landing, settings.run_folder("late") / "landing_gate.json")
    pipeline.publish_marts(settings, "late")
    summary = pipeline.record_evidence(settings, "late")
    assert summary["outcome"] == "published"
    page = Path(summary["report"]).read_text(encoding="utf-8")
    assert '<span class="status waived">waived</span>' in page and "approved by Wang Fang" in page
    finished = log.read_entries(settings)[-1]["body"]["gates"]["mart_gate"]["not_passed"]
    assert {"rule": FEED, "severity": "block", "status": "waived", "rows": 2} in finished
    _the_waiver_is_told(settings, tmp_path / "pack.zip", today)


def _the_waiver_is_told(settings: Settings, place: Path, today: date) -> None:
    """In the pack with who asked and who approved, in the explanation of a figure of the mart, and in what the next build reads."""
    with zipfile.ZipFile(pack_evidence(settings, LAST, place)) as pack:
        rules = list(csv.DictReader(io.StringIO(pack.read("rules.csv").decode("utf-8"))))
        steps = json.loads(pack.read("waivers.json"))
    (waived,) = [rule for rule in rules if rule["status"] == "waived"]
    assert (waived["id"], waived["waived_by"], waived["waived_until"]) == (FEED, "Wang Fang", today.isoformat())
    assert [step["event"] for step in steps] == ["waiver_asked", "waiver_approved"]
    assert (steps[0]["asked_by"], steps[0]["reason"], steps[1]["approved_by"]) == (
        *("Li Na", "holdings come tomorrow", "Wang Fang"),
    )
    tiers = "fct_customer_tiers_monthly"
    file = settings.published / versions.live_version(settings)["file"]
    with duckdb.connect(str(file), read_only=True) as marts:
        key, month = marts.execute(f"select customer_key, month from marts.{tiers} limit 1").fetchone()
    facts = read_number_facts(settings, tiers, "rating_amount", [key, str(month)])
    said = "\n".join(en + zh for en, zh in sentences(facts))
    assert f"waiver 1 approved by Wang Fang until {today}" in said and "批准人 Wang Fang" in said
    with duckdb.connect() as connection:
        read = connection.execute(
            "select rule_id, waiver_number, waived_by from read_parquet(?) where status = 'waived'",
            [str(gather(settings))],
        )
        assert read.fetchall() == [(FEED, 1, "Wang Fang")]


def test_the_commands_ask_approve_and_list(tmp_path, monkeypatch):
    monkeypatch.setenv("CRM_WAREHOUSE_HOME", str(tmp_path / "home"))
    today = datetime.now(UTC).date().isoformat()
    run = CliRunner().invoke
    what = ["waive", "ask", FEED, "--from", "2026-06-30", "--to", "2026-06-30", "--ceiling", "5", "--expires", today]
    asked = run(cli.app, [*what, "--by", "Li Na", "--reason", "late"])
    assert "waiver 1 is asked for" in asked.output
    approved = run(cli.app, ["waive", "approve", "1", "--by", "Wang Fang"])
    assert "holds until" in approved.output
    listed = json.loads(run(cli.app, ["waive", "list", "--json"]).output)
    assert [(w["number"], w["state"], w["approved_by"]) for w in listed] == [(1, "in force", "Wang Fang")]
