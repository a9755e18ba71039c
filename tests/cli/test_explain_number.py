"""`explain number`: from a published cell to meaning, models, policy, checks, files and log entry; nothing is taken on trust."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
from conftest import Run
from faults.homes import copy_of
from test_cli import cli, sentence_of

from crm_warehouse.errors import EvidenceBroken, PublishRefused, SettingsError
from crm_warehouse.evidence import kept, log
from crm_warehouse.explain.number_facts import read_number_facts
from crm_warehouse.explain.number_sentences import sentences
from crm_warehouse.files import read_json, sha256_of
from crm_warehouse.privacy.tokens import customer_key_of, read_key
from crm_warehouse.settings import PROJECT

MART, COLUMN = "fct_customer_contributions", "contribution_full_amount"


@pytest.fixture(scope="module")
def row(reference_run: Run) -> dict:
    """A published row of the mart."""
    with duckdb.connect(str(reference_run.published_file), read_only=True) as marts:
        found = marts.execute(
            f"select customer_key, month, {COLUMN} from marts.{MART} where {COLUMN} > 10 order by 1, 2"
        )
        return dict(zip(("customer_key", "month", "value"), found.fetchone(), strict=True))


@pytest.fixture(scope="module")
def facts(reference_run: Run, row: dict) -> dict:
    return read_number_facts(reference_run.settings, MART, COLUMN, [row["customer_key"], f"{row['month']:%Y-%m}"])


def test_the_value_and_its_meaning_are_the_published_ones(facts: dict, row: dict):
    assert facts["value"] == row["value"]
    assert facts["meaning"]["unit"] == "CNY" and "expected loss" in facts["meaning"]["formula"]
    assert "ties to the ledger" in facts["meaning"]["description"] and "总账" in facts["meaning"]["zh"]


def test_models_are_named_with_the_sha256_of_their_sql_under_the_runs_code_version(facts: dict, reference_run: Run):
    models = {model["model"]: model for model in facts["models"]}
    assert {MART, "int_loan_interest_lines", "stg_core__loans", "core__loans"} <= models.keys()
    assert "fct_tier_flows" not in models
    for model in models.values():
        assert sha256_of(PROJECT / model["file"]) == model["sha256"]
    assert facts["code_sha256"] == kept.code_fingerprint(PROJECT) == reference_run.summary["code_sha256"]


def test_policy_rows_are_those_that_its_models_ask_for_in_force_then_with_approver_and_decision(facts: dict):
    policy = {Path(policy["file"]).stem: policy for policy in facts["policy"]}
    asked = {row["parameter"]: row for row in policy["policy_parameters"]["rows"]}
    assert asked["interest_day_count"]["value"] == "365"
    assert asked["interest_day_count"]["approved_by"] == "asset-liability-committee"
    assert asked["interest_day_count"]["decision_reference"] == "DEC-2026-006"
    assert "poaching_window_days" not in asked
    for told in policy.values():
        assert sha256_of(PROJECT / told["file"]) == told["sha256"]
        assert all(row.get("effective_from", "") <= str(facts["policy_as_of"]) for row in told["rows"])


def test_a_later_row_of_a_policy_replaces_an_earlier_one_from_its_date_on(reference_run: Run):
    """Age bands go by the whole list, ladders by their version."""
    key = ["2026-06-01", "private"]
    facts = read_number_facts(reference_run.settings, "fct_tier_flows", "closing_count", key)
    policy = {Path(policy["file"]).stem: policy["rows"] for policy in facts["policy"]}
    ladders = {(row["policy_id"], row["policy_version"]) for row in policy["tier_policies"]}
    assert [name for name, _ in ladders] == ["default"], "the presets beside it decide nothing"
    assert {(row["policy_id"], row["policy_version"]) for row in policy["tier_thresholds"]} == ladders


def test_every_check_that_looked_at_the_mart_is_there_with_its_verdict(facts: dict, reference_run: Run):
    gate = reference_run.summary["results"]["mart_gate"]["results"]
    assert [rule["id"] for rule in facts["rules"]] == [r["rule"]["id"] for r in gate if r["rule"]["table"] == MART]
    assert {rule["status"] for rule in facts["rules"]} == {"passed"} and len(facts["rules"]) > 5
    assert [test["status"] for test in facts["tests"]] == ["pass"] * len(facts["tests"]) and facts["tests"]
    loans = next(table for table in facts["landing"] if table["table"] == "core__loans")
    assert loans["rules_passed"] > 10


def test_source_files_are_the_very_ones_that_the_bank_sent(facts: dict, reference_run: Run):
    tables = {table["table"]: table["batches"] for table in facts["landing"]}
    assert {"core__loans", "core__balances", "finance__ftp_rates", "wealth__holdings"} <= tables.keys()
    assert "crm__campaigns" not in tables
    for table in ("core__loans", "core__balances"):
        for batch in tables[table]:
            file = reference_run.settings.source_root / "core" / batch["business_date"] / batch["file"]
            content = file.read_bytes()
            assert hashlib.sha256(content).hexdigest() == batch["sha256"]
            rows = csv.reader(content.decode("utf-8", "replace").splitlines())
            assert batch["rows"] == sum(1 for _ in rows) - 1


def test_the_log_entry_is_the_runs_end_and_its_hash_is_in_the_log(facts: dict, reference_run: Run):
    last = log.read_entries(reference_run.settings)[-1]
    assert facts["log_entry"] == {name: last[name] for name in ("sequence", "hash", "at")}
    assert facts["run_id"] == last["body"]["run_id"] == "reference"


def test_sentences_are_in_both_languages_and_name_no_customer(facts: dict, reference_run: Run):
    said = sentences(facts)
    text = "\n".join(f"{en}\n{zh}" for en, zh in said)
    for wanted in (f"{facts['value']:,f} (CNY)", "approved by", "批准人", "the log is whole", "日志完整", "来源"):
        assert wanted in text
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in zh) or zh.startswith("计算公式") for _, zh in said)


@pytest.mark.parametrize(
    ("mart", "column", "key", "said"),
    [
        ("fct_customer_contribution", COLUMN, [], "is no mart; did you mean fct_customer_contributions"),
        (MART, "contribution", [], "is no column of fct_customer_contributions; did you mean"),
        (MART, COLUMN, [], "which row of fct_customer_contributions"),
        (MART, COLUMN, ["month=2026-06"], "more than one row with this month"),
        (MART, COLUMN, ["0" * 32, "2026-06"], "has no row with this customer_key, month"),
        (MART, COLUMN, ["0" * 32, "June"], "the key cannot be read: customer_key is a varchar, month is a date"),
        (MART, COLUMN, ["a", "2026-06", "c"], "has a key of 2 parts, not 3: customer_key, month"),
        (MART, COLUMN, ["colour=red"], "'colour' is no column of"),
        (MART, f'{COLUMN}" from marts.x --', ["a", "b"], "is no column of"),
    ],
)
def test_what_is_not_there_is_one_sentence(reference_run: Run, mart: str, column: str, key: list[str], said: str):
    with pytest.raises(SettingsError, match="(?s)" + said) as refused:
        read_number_facts(reference_run.settings, mart, column, key)
    assert "\n" not in str(refused.value)


def test_the_key_may_be_named_in_any_order_and_given_by_the_banks_own_id(
    reference_run: Run, row: dict, everything: dict
):
    settings = reference_run.settings
    key = read_key(settings)
    ids = {customer_key_of(key, id_): id_ for id_ in everything["core.customers"]["customer_id"]}
    named = [f"month={row['month']}", f"customer_key={ids[row['customer_key']]}"]
    facts = read_number_facts(settings, MART, COLUMN, named)
    assert facts["value"] == row["value"] and facts["key"]["customer_key"] == row["customer_key"]


def test_nothing_is_explained_out_of_evidence_that_was_changed(reference_run: Run, row: dict, tmp_path: Path):
    settings = copy_of(reference_run, tmp_path / "home")
    ask = (settings, MART, COLUMN, [row["customer_key"], str(row["month"])])
    assert read_number_facts(*ask)["value"] == row["value"]
    lineage = settings.evidence / "kept" / read_json(settings.run_folder("reference") / "build.json")["lineage_sha256"]
    whole = lineage.read_bytes()
    lineage.write_bytes(whole.replace(b"ledger", b"budget"))
    with pytest.raises(EvidenceBroken, match="evidence/kept/.* was changed"):
        read_number_facts(*ask)
    lineage.write_bytes(whole)
    build = settings.run_folder("reference") / "build.json"
    content = build.read_bytes()
    build.write_bytes(content.replace(b'"pass"', b'"warn"', 1))
    with pytest.raises(EvidenceBroken, match=r"reference/build\.json is not what entry 2 of the log vouches for"):
        read_number_facts(*ask)
    build.write_bytes(content)
    live = settings.published / read_json(settings.published / "current.json")["file"]
    live.chmod(0o644)
    with live.open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    with pytest.raises(PublishRefused, match="is not the file that was audited"):
        read_number_facts(*ask)


def test_the_command_tells_people_and_programs(reference_run: Run, row: dict, tmp_path: Path):
    home, key = reference_run.settings.home, (row["customer_key"], f"{row['month']:%Y-%m}")
    said = cli(home, "explain", "number", MART, COLUMN, *key, COLUMNS="220")
    assert said.returncode == 0, said.stderr
    assert "计算公式" in said.stdout and "loans.csv" in said.stdout and "DEC-2026-006" in said.stdout
    found = json.loads(cli(home, "explain", "number", MART, COLUMN, *key, "--json").stdout)
    assert found["value"] == str(row["value"]) and found["sentences"][0]["zh"]
    assert "nothing is published yet" in sentence_of(cli(tmp_path / "new", "explain", "number", MART, COLUMN, *key))
    assert date.fromisoformat(found["policy_as_of"]).month == row["month"].month
