"""The rules of both gates: each says what a person needs, and each mart rule fails on marts damaged to violate it."""

import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest
from bridge_damages import BRIDGE_DAMAGES
from customer_history_damages import HISTORY_DAMAGES
from leakage_damages import LEAKAGE_DAMAGES
from lifecycle_damages import LIFECYCLE_DAMAGES
from lifetime_damages import LIFETIME_DAMAGES
from mart_damages import DAMAGES, LEDGER, MID, gap
from quality_damages import QUALITY_DAMAGES

from crm_warehouse.coverage import coverage_of_marts
from crm_warehouse.errors import GateFailed
from crm_warehouse.profile import Profile, load_profile
from crm_warehouse.progress import silent
from crm_warehouse.publish.candidate import marts_of
from crm_warehouse.quality.gate import GateResult, run_gate
from crm_warehouse.quality.mart_gate import run_mart_gate
from crm_warehouse.quality.rule import Rule
from crm_warehouse.settings import PROJECT, Settings, known_banks
from expectations import landing, marts

ALL_DAMAGES = DAMAGES | LIFETIME_DAMAGES | LEAKAGE_DAMAGES | BRIDGE_DAMAGES | LIFECYCLE_DAMAGES | HISTORY_DAMAGES
ALL_DAMAGES |= QUALITY_DAMAGES
SEVERITIES = {"block", "quarantine", "warn"}
DIMENSIONS = {"completeness", "accuracy", "consistency", "timeliness", "uniqueness", "validity"}
CJK = re.compile(r"[\u4e00-\u9fff]")


def profile_of(bank: str) -> Profile:
    return load_profile(Settings(bank=bank, home=Path(), project=PROJECT, source_root=Path()))


def manifest_of(run) -> Path:
    return Path(run.summary["results"]["build"]["dbt_manifest"])


def mart_rules(run, bank: str = "reference_bank") -> list[Rule]:
    """Mart rules of a bank over the models of the run, which are the same for every bank."""
    profile, manifest = profile_of(bank), manifest_of(run)
    coverage = {mart: row["coverage"] for mart, row in coverage_of_marts(profile, manifest).items()}
    return marts.build_rules(profile, marts_of(manifest), coverage, date.fromisoformat(run.summary["as_of"]))


def all_rules(run, bank: str) -> list[Rule]:
    return landing.build_rules(profile_of(bank)) + mart_rules(run, bank)


@pytest.mark.parametrize("bank", known_banks())
def test_every_rule_has_an_id_of_its_own(reference_run, bank):
    ids = Counter(rule.id for rule in all_rules(reference_run, bank))
    assert [id for id, count in ids.items() if count > 1] == []
    assert all(re.fullmatch(r"(landing|marts)\.\w+\.[^\s.]+( [^\s.]+)*(\.\w+)?", id) for id in ids)


@pytest.mark.parametrize("bank", known_banks())
def test_every_rule_says_what_a_person_needs(reference_run, bank):
    for rule in all_rules(reference_run, bank):
        assert rule.name_en and not CJK.search(rule.name_en), rule.id
        assert CJK.search(rule.name_zh), rule.id
        assert all((rule.reason, rule.owner, rule.on_failure, rule.principle)), rule.id
        assert rule.reason.endswith(".") and rule.on_failure.endswith("."), rule.id
        assert rule.severity in SEVERITIES, rule.id
        assert rule.dimension in DIMENSIONS, rule.id


@pytest.mark.parametrize("bank", known_banks())
def test_every_rule_that_sets_rows_aside_can_name_them(reference_run, bank):
    rules = all_rules(reference_run, bank)
    assert [rule.id for rule in rules if rule.severity == "quarantine" and not rule.bad_rows] == []


@pytest.mark.parametrize("bank", known_banks())
def test_every_extract_and_every_mart_has_rules(reference_run, bank):
    tables = {rule.table for rule in all_rules(reference_run, bank)}
    assert tables >= {extract.table for extract in profile_of(bank).extracts}
    assert tables >= set(marts_of(manifest_of(reference_run)))


@pytest.mark.parametrize("bank", known_banks())
def test_a_mart_may_be_empty_only_when_the_bank_does_not_feed_it(reference_run, bank):
    coverage = coverage_of_marts(profile_of(bank), manifest_of(reference_run))
    must_have_rows = {rule.table for rule in mart_rules(reference_run, bank) if rule.id.endswith(".rows_present")}
    nodes = marts_of(manifest_of(reference_run))
    may_be_empty = {mart for mart, node in nodes.items() if "may_be_empty" in node["config"]["meta"]}
    assert must_have_rows == {mart for mart, row in coverage.items() if row["coverage"] != "dark"} - may_be_empty
    assert (coverage["fct_tier_band_stability"]["coverage"] == "dark") == (bank == "eagle_bank")


def judge(file: Path, rules: list[Rule]) -> GateResult:
    return run_gate("mart", file, "marts", rules, silent)


@pytest.fixture
def damaged(reference_run, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the published file on which SQL was run."""

    def damage(sql: str) -> Path:
        copy = tmp_path / "damaged.duckdb"
        shutil.copyfile(reference_run.published_file, copy)
        with duckdb.connect(str(copy)) as connection:
            connection.execute("set schema = 'marts'")
            connection.execute(sql)
        return copy

    return damage


def test_every_mart_rule_passes_on_the_undamaged_copy(reference_run, damaged):
    rules = mart_rules(reference_run)
    gate = judge(damaged("select 1"), rules)
    assert [result.rule["id"] for result in gate.failures()] == []
    assert gate.planned == gate.run == gate.passed == len(rules) > 40


@pytest.mark.parametrize(("rule", "sql", "rows"), ALL_DAMAGES.values(), ids=ALL_DAMAGES)
def test_a_mart_rule_fails_on_the_damage_it_is_there_for(reference_run, damaged, rule, sql, rows):
    (judged,) = [candidate for candidate in mart_rules(reference_run) if candidate.id == f"marts.{rule}"]
    (result,) = judge(damaged(sql), [judged]).results
    assert result.status == "failed", result.detail
    assert result.failed_rows == rows or (rows is None and result.failed_rows >= 1)


def test_the_mart_gate_tells_which_line_is_off_and_what_is_missing(reference_run, damaged):
    """One sentence each, with names and amounts; the ledger's stops the publish, the missing price is told."""
    change = "warehouse_amount = 0.99 * ledger_amount, unallocated_amount = 0, difference_amount = ledger_amount - 0.99 * ledger_amount"
    where = f"ledger_code = '6911' and branch_id = 'B001' and currency_code = 'CNY' and {MID}"
    file = damaged(f"update {LEDGER} set {change}, is_reconciled = false where {where};" + gap("TD-3M CNY", 7))
    gate, _ = run_mart_gate(
        profile_of("reference_bank"),
        manifest_of(reference_run),
        file,
        date.fromisoformat(reference_run.summary["as_of"]),
        silent,
    )
    with pytest.raises(GateFailed) as refused:
        gate.require_open()
    assert "6911 Transfer-price income on deposits of 2026-03 at B001 in CNY: customers " in str(refused.value)
    assert " unexplained" in str(refused.value)
    (missing,) = gate.failures("warn")
    assert missing.detail == "no transfer price for TD-3M CNY." and missing.failed_rows == 1


@pytest.mark.parametrize(
    ("kind", "sql_of_mart"),
    [
        ("rows_present", "delete from {mart}"),
        ("contract_columns", "alter table {mart} add column mobile text"),
        ("customer_is_token", "update {mart} set customer_key = 'C00000001'"),
    ],
)
def test_a_rule_of_every_mart_fails_in_every_mart(reference_run, damaged, kind, sql_of_mart):
    rules = [rule for rule in mart_rules(reference_run) if rule.id.endswith(f".{kind}")]
    gate = judge(damaged(";".join(sql_of_mart.format(mart=rule.table) for rule in rules)), rules)
    assert [result.rule["id"] for result in gate.results if result.status != "failed"] == []
    assert len(gate.results) == len(rules) >= 4


def test_a_part_that_a_bank_does_not_provide_may_not_be_shown(reference_run, damaged):
    """The reference bank's figures under the real bank's rules: what that bank does not send cannot be there."""
    rules = [rule for rule in mart_rules(reference_run, "eagle_bank") if rule.id.endswith(".not_available")]
    gate = judge(damaged("select 1"), rules)
    assert [result.status for result in gate.results] == ["failed"] * len(rules)
    assert len(rules) >= 1


def test_every_mart_rule_has_a_damage(reference_run):
    of_every_mart = ("rows_present", "contract_columns", "customer_is_token")
    damaged_rules = {rule for rule, _, _ in ALL_DAMAGES.values()}
    for rule in mart_rules(reference_run):
        kind = rule.id.rsplit(".", 1)[-1]
        assert kind in of_every_mart or rule.id.removeprefix("marts.") in damaged_rules, rule.id
