"""What the report says is what the run found: figures, rules, lineage, trends, quarantine, waivers, Data Docs."""

from __future__ import annotations

import csv
import re
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import great_expectations.expectations as gxe
import pytest
from conftest import Run, settings_in
from sites import Page, home_beside, stopped_at_gate
from unit.tiny_bank import BALANCE, DAY, TinyBank, customers

import expectations.landing
import expectations.marts
from crm_warehouse.files import write_json
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.publish.candidate import marts_of
from crm_warehouse.quality import quarantine
from crm_warehouse.quality.gate import run_gate
from crm_warehouse.quality.landing_gate import run_landing_gate
from crm_warehouse.quality.rule import Rule
from crm_warehouse.report import drawings, trends
from crm_warehouse.report.data_docs import read_data_docs, render_data_docs
from crm_warehouse.report.figures import FEWEST_SHOWN, read_figures
from crm_warehouse.report.pages import FOLDER, WORDS
from crm_warehouse.report.site import write_report
from crm_warehouse.settings import PROJECT

CANARY = "CANARY-7f3a"


@pytest.fixture(scope="module")
def site(reference_run: Run) -> Path:
    return Path(reference_run.summary["report"]).parent


@pytest.fixture(scope="module")
def figures(reference_run: Run) -> dict:
    return read_figures(Path(reference_run.summary["results"]["build"]["candidate"]))


def test_the_bridge_goes_from_opening_to_closing_step_by_step(figures):
    bridge = figures["bridge"]
    assert bridge["steps"][0]["from"] == bridge["opening_amount"]
    assert bridge["steps"][-1]["to"] == bridge["closing_amount"]
    assert all(a["to"] == b["from"] for a, b in zip(bridge["steps"], bridge["steps"][1:], strict=False))
    assert sum(step["amount"] for step in bridge["steps"]) == bridge["closing_amount"] - bridge["opening_amount"] != 0


def test_tiers_and_flows_are_those_of_the_marts(figures, reference_run):
    with duckdb.connect(str(reference_run.published_file), read_only=True) as connection:
        (held,) = connection.execute(
            "select count(*) from marts.fct_customer_tier_history inner join marts.dim_tier_policies"
            " using (policy_version, tier_code) where is_active and known_to = timestamp '9999-12-31'"
            " and valid_from <= date '2026-06-30' and valid_to > date '2026-06-30'"
        ).fetchone()
    assert sum(row["closing_count"] for row in figures["flows"]) == held > 200
    for row in figures["flows"]:
        came = row["opened"] + row["up_in"] + row["down_in"] + row["won_back"]
        assert row["opening_count"] + came - row["up_out"] - row["down_out"] - row["exited"] == row["closing_count"]


def test_amounts_of_so_few_that_one_could_be_told_are_on_no_page_and_in_no_sheet(figures, site):
    few = [row for row in figures["near"] if row["customers"] < FEWEST_SHOWN]
    assert few and all(not row["is_shown"] for row in few)
    shown = Page(site / "figures.html").text
    assert shown.count("not shown") == len(few) + 1  # and once in the sentence that says why
    near = Page(site / "figures.html").file.read_text(encoding="utf-8").split('id="near"')[1]
    assert not [row for row in few if f"{row['gap_amount']:,.2f}" in near]


def test_the_ledger_is_told_by_line_as_the_mart_has_it(figures, site):
    assert sum(line["cells"] for line in figures["ledger"]) == figures["ledger_months"][-1]["cells"] > 0
    text = Page(site / "index.html").text
    for line in figures["ledger"]:
        assert line["en"] in text and f"{line['ledger_amount']:,.2f}".replace("-", "−") in text
    assert "Yes." in text


@pytest.mark.eagle
def test_a_bank_without_a_ledger_is_told_that_nothing_can_be_reconciled(eagle_run):
    page = Page(Path(eagle_run.summary["report"]))
    assert "It cannot be told: the bank sends no ledger" in page.text
    assert "6 are dark" in page.text and "12 / 31" in page.text


def test_the_catalogue_has_every_rule_with_reason_owner_severity_principle_and_verdict(site, reference_run):
    english, chinese = Page(site / "rules.html"), Page(site / "rules.zh.html")
    for gate in ("landing_gate", "mart_gate"):
        results = reference_run.summary["results"][gate]["results"]
        assert {row["rule"]["id"] for row in results} <= set(english.ids) & set(chinese.ids)
        for row in results:
            rule = row["rule"]
            assert all(rule[name] in english.text for name in ("name_en", "reason", "on_failure", "owner", "principle"))
            assert rule["name_zh"] in chinese.text
    failed = [r for r in reference_run.summary["results"]["landing_gate"]["results"] if r["status"] == "failed"]
    assert failed and english.text.count("not passed") == len({r["rule"]["reason"] for r in failed})


def test_every_reason_and_remedy_of_both_banks_is_there_in_chinese_and_none_that_no_rule_has():
    said, words = set(), set()
    manifest = None
    for bank in ("reference_bank", "eagle_bank"):
        profile = load_profile(settings_in(Path("unused"), bank))
        marts = _marts_by_yaml() if manifest is None else manifest
        rules = [*expectations.landing.build_rules(profile)]
        for coverage in ("fed", "partly", "dark"):
            covered = dict.fromkeys(marts, coverage)
            rules += expectations.marts.build_rules(profile, marts, covered, date(2026, 6, 30))
        said |= {sentence for rule in rules for sentence in (rule.reason, rule.on_failure)}
        words |= {word for rule in rules for word in (rule.owner, rule.severity, rule.dimension)}
    with (FOLDER / "sentences.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(words - WORDS.keys()) == []
    known = {row["en"] for row in rows}
    assert sorted(said - known) == []
    assert sorted(known - said) == []
    assert [row["en"] for row in rows] == sorted(known)
    assert all(re.search(r"[\u4e00-\u9fff]", row["zh"]) for row in rows)


def _marts_by_yaml() -> dict[str, dict]:
    """Every published model's columns and settings, as the mart gate's rules want them."""
    import yaml

    marts = {}
    for path in sorted((PROJECT / "dbt_project" / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            columns = {column["name"]: {**column, "config": column.get("config", {})} for column in model["columns"]}
            marts[model["name"]] = {**model, "columns": columns}
    return marts


def test_lineage_leads_from_a_mart_to_the_files_and_their_sha256(site, reference_run):
    page = (site / "lineage.html").read_text(encoding="utf-8")
    path = page.split('id="fct_tier_flows"')[1].split("</details>")[0]
    assert "int_months" in path and "core__balances" in path and "#extract-core__balances" in path
    assert "tier_thresholds" in path  # the policy file
    batches = reference_run.summary["results"]["landing_gate"]["batches"]
    last = max((b for b in batches if b["table"] == "core__balances"), key=lambda b: b["business_date"])
    row = page.split('id="extract-core__balances"')[1].split("</tr>")[0]
    assert last["sha256"] in row and last["business_date"] in row
    with (site / "files.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [(row["file"], row["sha256"]) for row in listed] == [(b["file"], b["sha256"]) for b in batches]


def test_every_mart_is_in_the_lineage(site, reference_run):
    marts = marts_of(Path(reference_run.summary["results"]["build"]["dbt_manifest"]))
    assert set(marts) <= set(Page(site / "lineage.html").ids)


def test_a_trend_shows_each_run_that_is_kept_and_reads_no_more_than_the_last_of_them(reference_run, tmp_path):
    settings, profile = home_beside(reference_run, tmp_path / "home"), load_profile(reference_run.settings)
    failing = stopped_at_gate(reference_run.summary)
    rule = next(
        r["rule"]["id"]
        for r in failing["results"]["landing_gate"]["results"]
        if r["failed_rows"] == 7 and r["rule"]["severity"] == "block"
    )
    for number in range(trends.KEPT + 2):  # earlier runs: the rule failed in the oldest three
        folder = settings.report / f"run{number:02}"
        digest = {**trends.digest_of(failing), "started_at": f"2098-01-{number + 1:02}T00:00:00+00:00"}
        write_json(folder / trends.DIGEST, {**digest, "summary_sha256": "x"})
        write_json(folder / trends.VERDICTS, {rule: ["failed" if number < 3 else "passed", 4 if number < 3 else 0]})
    (settings.report / "run00" / trends.VERDICTS).unlink()  # too old: not read
    page = write_report(settings, profile, failing).read_text(encoding="utf-8").replace("<wbr>", "")
    row = page.split('id="trend"')[1].split(f">{rule}<")[1].split("</tr>")[0]
    assert row.count('class="ok"') == trends.KEPT - 1 and row.count('class="bad"') == 1
    assert f"1 / {trends.KEPT}" in row


def test_rows_set_aside_are_told_with_their_rule_and_what_was_decided_and_never_a_value(tmp_path):
    tiny = TinyBank.below(tmp_path)
    rows = customers(400)
    rows[1] |= {"gender": CANARY}
    rows[2] |= {"gender": CANARY}
    tiny.send_all(rows, [BALANCE])
    tiny.land_all(DAY)
    verdict = run_landing_gate(tiny.settings, tiny.profile, [DAY], tiny.settings.warehouse / "gate.duckdb", silent)
    quarantine.decide(
        tiny.settings,
        tiny.profile,
        "release",
        "core__customers",
        DAY,
        rows=[3],
        rule=None,
        by="Li Na",
        reason="confirmed",
    )
    summary = {
        "run_id": "tiny", "bank": tiny.profile.bank, "as_of": DAY.isoformat(), "business_dates": [DAY.isoformat()],
        "started_at": "2026-04-01T00:00:00+00:00", "code_sha256": "0" * 64, "sources": ["core"], "outcome": "failed",
        "problem": "stopped", "results": {"landing_gate": verdict.to_json()},
    }  # fmt: skip
    site = write_report(tiny.settings, tiny.profile, summary).parent
    section = (site / "index.html").read_text(encoding="utf-8").split('id="quarantine"')[1].split("</section>")[0]
    assert "core__<wbr>customers" in section and "waiting" in section and "released" in section
    assert verdict.to_json()["results"] and "2 were set aside" in section
    assert all(CANARY.encode() not in file.read_bytes() for file in site.rglob("*") if file.is_file())


def test_a_waiver_is_told_with_its_end_and_who_answers_for_it(reference_run, tmp_path):
    settings, profile = home_beside(reference_run, tmp_path / "home"), load_profile(reference_run.settings)
    waiver = {
        "first_date": "2026-06-30",
        "last_date": "2026-06-30",
        "ceiling": 5,
        "asked_by": "Li Na",
        "approved_by": "Wang Fang",
        "reason": "late",
    }
    rule = reference_run.summary["results"]["mart_gate"]["results"][0]["rule"]
    ends = {"in force": "2099-01-11", "expired": "2098-12-31"}
    write_json(
        settings.waivers,
        [{**waiver, "number": n, "rule": rule["id"], "expires_on": day} for n, day in enumerate(ends.values(), 1)],
    )
    page = write_report(settings, profile, stopped_at_gate(reference_run.summary))
    section = page.read_text(encoding="utf-8").split('id="waivers"')[1].split("</section>")[0]
    assert "1 in force." in section and "in 10 days" in section and "2099-01-11" in section
    assert "expired" in section and "approved by Wang Fang" in section
    chinese = page.with_name("index.zh.html").read_text(encoding="utf-8")
    assert "还有 10 天" in chinese and "批准人 Wang Fang" in chinese


@pytest.mark.parametrize("gate", ["landing_gate", "mart_gate"])
def test_data_docs_show_every_suite_of_a_gate_with_its_counts(site, reference_run, gate):
    docs = read_data_docs(reference_run.settings.run_folder("reference"), gate)
    results = reference_run.summary["results"][gate]["results"]
    for suite, shown in docs.items():
        of_it = [row for row in results if row["rule"]["table"] == suite]
        assert (shown["evaluated"], shown["successful"]) == (len(of_it), sum(r["status"] == "passed" for r in of_it))
        page = Page(site / "data_docs" / f"{suite}.html")
        assert f"{shown['successful']} of {shown['evaluated']} expectations were met." in page.text
        assert page.count("tr") > len(of_it)
    assert sum(shown["evaluated"] for shown in docs.values()) == len(results)


def test_data_docs_of_a_rule_that_fails_say_so_and_quote_no_value(tmp_path):
    database = tmp_path / "bad.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create schema marts; create table marts.people as select '{CANARY}' as name, 1 as id")
    texts = dict.fromkeys(("name_en", "name_zh", "reason", "owner", "on_failure", "principle"), "text")
    kinds = {
        "set": gxe.ExpectColumnValuesToBeInSet(column="name", value_set=["known"]),
        "distinct": gxe.ExpectColumnDistinctValuesToBeInSet(column="name", value_set=["known"]),
        "rows": gxe.UnexpectedRowsExpectation(
            unexpected_rows_query="select * from {batch} where id = 1", description="None"
        ),
        "columns": gxe.ExpectTableColumnsToMatchSet(column_set=["name", "id"]),
    }
    rules = [Rule(id=f"marts.people.{name}", table="people", severity="block", dimension="validity", expectation=kind, **texts) for name, kind in kinds.items()]  # fmt: skip
    gate = run_gate("mart", database, "marts", rules, silent)
    assert [row.status for row in gate.results] == ["failed", "failed", "failed", "passed"]
    (docs,) = render_data_docs(gate.validations).values()
    assert (docs["evaluated"], docs["successful"]) == (4, 1)
    assert CANARY not in docs["html"] and "<script" not in docs["html"] and "http" not in docs["html"]
    assert docs["html"].count("not met") == 3
    assert docs["html"].count("fa-times") == 3 and docs["html"].count("fa-check-circle") == 1
    assert CANARY not in str([asdict(row) for row in gate.results])


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (drawings.bar(Decimal(5), Decimal(10)), 'x="0.00" y="1" width="50.00"'),
        (drawings.bar(0, 0), "</svg>"),
        (drawings.pair(2, 4, 4), 'x="25.00" y="1" width="25.00"'),
        (drawings.span(10, 30, 0, 40, "gain"), 'class="gain" x="25.00" y="1" width="50.00"'),
        (drawings.span(30, 10, 0, 40, "loss"), 'class="loss" x="25.00" y="1" width="50.00"'),
        (drawings.curve([0, Decimal("-0.1"), 1], 100), "M0.0,100.0 L50.0,110.0 L100.0,0.0"),
    ],
)
def test_a_drawing_has_the_measures_of_its_numbers(drawn, said):
    assert said in drawn
