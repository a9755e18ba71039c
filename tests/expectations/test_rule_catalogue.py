"""The rules of both gates: each says what a person needs, and each mart rule fails on marts damaged to violate it."""

import re
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest
from lifetime_damages import LIFETIME_DAMAGES

from crm_warehouse.coverage import coverage_of_marts
from crm_warehouse.profile import Profile, load_profile
from crm_warehouse.progress import silent
from crm_warehouse.publish.candidate import marts_of
from crm_warehouse.quality.gate import GateResult, run_gate
from crm_warehouse.quality.rule import Rule
from crm_warehouse.settings import PROJECT, Settings, known_banks
from expectations import landing, marts

SEVERITIES = {"block", "quarantine", "warn"}
DIMENSIONS = {"completeness", "accuracy", "consistency", "timeliness", "uniqueness", "validity"}
CJK = re.compile(r"[\u4e00-\u9fff]")
TOKEN = "0" * 32
CONTRIBUTION_PARTS = (
    "net_interest_deposits_amount",
    "net_interest_loans_amount",
    "fee_income_amount",
    "expected_loss_amount",
    "cost_to_serve_full_amount",
    "cost_to_serve_avoidable_amount",
    "perks_amount",
)


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


def one(table: str, change: str, where: str = "true") -> str:
    """SQL that changes one row."""
    return f"update {table} set {change} where rowid = (select min(rowid) from {table} where {where})"


def without_one(table: str, where: str = "true") -> str:
    return f"delete from {table} where rowid = (select min(rowid) from {table} where {where})"


HISTORY, TIERS, AUM = "fct_customer_tier_history", "fct_customer_tiers_monthly", "fct_customer_aum_monthly"
CONTRIBUTIONS = "fct_customer_contributions"
CLOSED = "valid_to < date '9999-12-31'"
FLOWS, MIGRATION, GROWTH = "fct_tier_flows", "fct_tier_migration", "fct_growth_mismatch"
NEAR, BACKTESTS, BANDS = "fct_near_threshold_customers", "fct_propensity_backtests", "fct_tier_band_stability"
DRESSING = "fct_window_dressing"
MID = "month = date '2026-03-01'"

# What is damaged: (rule, SQL, rows found). None: more than one row follows from the damage.
DAMAGES = {
    "onboarded tomorrow": (
        "dim_customers.onboarded_by_business_date",
        one("dim_customers", "onboarded_on = date '2026-07-01'"),
        1,
    ),
    "never onboarded": ("dim_customers.onboarded_by_business_date", one("dim_customers", "onboarded_on = null"), 1),
    "unknown branch": ("dim_customers.branch_exists", one("dim_customers", "branch_id = 'B999'"), 1),
    "no branch": ("dim_customers.branch_exists", one("dim_customers", "branch_id = null"), 1),
    "another current tier": ("dim_customers.current_tier_agrees", one("dim_customers", "tier_code = 'X'"), 1),
    "no current tier": (
        "dim_customers.current_tier_agrees",
        one("dim_customers", "tier_code = null", "tier_code is not null"),
        1,
    ),
    "a day short": (
        "dim_dates.reaches_business_date",
        "delete from dim_dates where calendar_date >= date '2026-06-30'",
        1,
    ),
    "a day too far": (
        "dim_dates.reaches_business_date",
        "insert into dim_dates (calendar_date) values (date '2026-07-01')",
        1,
    ),
    "negative average": (f"{AUM}.amounts_not_negative", one(AUM, "adb_amount = -0.01"), 1),
    "negative at month end": (f"{AUM}.amounts_not_negative", one(AUM, "eop_amount = -0.01"), 1),
    "unknown amount": (f"{AUM}.amounts_not_negative", one(AUM, "adb_amount = null"), 1),
    "assets of nobody": (f"{AUM}.customer_exists", one(AUM, f"customer_key = '{TOKEN}'"), 1),
    "assets in fen": (
        f"{AUM}.total_moves_plausibly",
        f"update {AUM} set adb_amount = adb_amount * 100 where month = date '2026-06-01'",
        None,
    ),
    "a feed is missing": (
        f"{AUM}.total_moves_plausibly",
        f"update {AUM} set adb_amount = adb_amount / 10 where month = date '2026-06-01'",
        None,
    ),
    **{
        f"no {part}": (f"{CONTRIBUTIONS}.{part}.available", one(CONTRIBUTIONS, f"{part} = null"), 1)
        for part in CONTRIBUTION_PARTS
    },
    "a cent too much in full": (
        f"{CONTRIBUTIONS}.parts_add_up",
        one(CONTRIBUTIONS, "contribution_full_amount = contribution_full_amount + 0.01"),
        1,
    ),
    "a cent too little, avoidable": (
        f"{CONTRIBUTIONS}.parts_add_up",
        one(CONTRIBUTIONS, "contribution_avoidable_amount = contribution_avoidable_amount - 0.01"),
        1,
    ),
    "no total": (f"{CONTRIBUTIONS}.parts_add_up", one(CONTRIBUTIONS, "contribution_full_amount = null"), 1),
    "contribution without tier": (f"{CONTRIBUTIONS}.one_row_per_rated_month", without_one(TIERS), None),
    "tier without contribution": (f"{CONTRIBUTIONS}.one_row_per_rated_month", without_one(CONTRIBUTIONS), None),
    "contribution twice": (
        f"{CONTRIBUTIONS}.one_row_per_rated_month",
        f"insert into {CONTRIBUTIONS} select * from {CONTRIBUTIONS} limit 1",
        None,
    ),
    "a gap": (f"{HISTORY}.no_gap_no_overlap", one(HISTORY, "valid_to = valid_to - 1", CLOSED), 1),
    "an overlap": (f"{HISTORY}.no_gap_no_overlap", one(HISTORY, "valid_to = valid_to + 1", CLOSED), 1),
    "a history that ends": (
        f"{HISTORY}.no_gap_no_overlap",
        one(HISTORY, "valid_to = date '2026-06-30'", "valid_to = date '9999-12-31'"),
        1,
    ),
    "an interval of no day": (f"{HISTORY}.no_gap_no_overlap", one(HISTORY, "valid_to = valid_from"), None),
    "an interval without change": (
        f"{HISTORY}.interval_changes_tier",
        one(HISTORY, "previous_tier_code = tier_code"),
        1,
    ),
    "known nobody knows when": (f"{HISTORY}.known_after_valid_data", one(HISTORY, "known_from = null"), 1),
    "rated higher": (f"{TIERS}.rating_ties_to_assets", one(TIERS, "rating_amount = rating_amount + 1"), None),
    "not rated": (f"{TIERS}.rating_ties_to_assets", one(TIERS, "rating_amount = null"), None),
    "assets that no rating knows": (f"{TIERS}.rating_ties_to_assets", one(AUM, "adb_amount = adb_amount + 1"), None),
    "a day that did not come": (f"{TIERS}.feed_came", one(TIERS, "is_feed_missing = true"), 1),
    "another tier": (f"{TIERS}.tier_fits_threshold", one(TIERS, "tier_code = 'X'"), 1),
    "no tier": (f"{TIERS}.tier_fits_threshold", one(TIERS, "tier_code = null", "tier_code is not null"), 1),
    "another policy": (f"{TIERS}.tier_fits_threshold", one(TIERS, "policy_version = 'no such'"), 1),
    "one up from nowhere": (f"{FLOWS}.closes", one(FLOWS, "up_in = up_in + 1"), 1),
    "a cent from nowhere": (f"{FLOWS}.closes", one(FLOWS, "closing_amount = closing_amount + 0.01"), 1),
    "a month that opens otherwise": (
        f"{FLOWS}.opens_where_it_closed",
        one(FLOWS, "opening_count = 0", f"{MID} and opening_count > 0"),
        1,
    ),
    "a customer in no flow": (
        f"{FLOWS}.ties_to_customers",
        without_one("dim_customers", "tier_code = 'mass'"),
        1,
    ),
    "a tier without flows": (
        "dim_tier_policies.has_flows_of_every_month",
        without_one(FLOWS, f"tier_code = 'gold' and {MID}"),
        1,
    ),
    "flows without growth": (f"{FLOWS}.one_growth_per_flow", without_one(GROWTH), 1),
    "a state that leaks": (f"{MIGRATION}.adds_up_to_one", one(MIGRATION, "probability = probability - 0.000001"), None),
    "a customer less than the state": (
        f"{MIGRATION}.adds_up_to_one",
        one(MIGRATION, "customers = customers + 1"),
        None,
    ),
    "a month without migration": ("dim_dates.has_steps_of_every_month", f"delete from {MIGRATION} where {MID}", 1),
    "growth that does not add up": (
        f"{GROWTH}.growth_adds_up",
        one(GROWTH, "average_growth = average_growth + 0.000001", "aum_growth is not null"),
        1,
    ),
    "growth without its parts": (
        f"{GROWTH}.growth_adds_up",
        one(GROWTH, "count_growth = null", "aum_growth is not null"),
        1,
    ),
    "an entrant from nowhere": (f"{GROWTH}.bridge_closes", one(GROWTH, "entrants = entrants + 1"), 1),
    "a cent that stayed": (
        f"{GROWTH}.bridge_closes",
        one(GROWTH, "stayers_change_amount = stayers_change_amount + 0.01"),
        1,
    ),
    "a wrong gap": (f"{NEAR}.gap_fits_rating", one(NEAR, "gap_amount = gap_amount + 0.01"), 1),
    "the wrong side": (f"{NEAR}.gap_fits_rating", one(NEAR, "side = 'above'", "side = 'below'"), 1),
    "more than certain": (f"{NEAR}.propensity_is_probability", one(NEAR, "crossing_propensity = 1.000001"), 1),
    "a customer not on the list": (
        f"{TIERS}.near_customers_listed",
        without_one(NEAR, "side = 'below' and not is_partial_month"),
        1,
    ),
    "a risk not on the list": (
        f"{TIERS}.near_customers_listed",
        without_one(NEAR, "side = 'above' and not is_partial_month"),
        1,
    ),
    "a bad month left out": (f"{NEAR}.outcomes_backtested", f"delete from {BACKTESTS} where {MID}", None),
    "no baseline": (
        f"{BACKTESTS}.beside_baseline",
        f"delete from {BACKTESTS} where {MID} and model = 'base_rate'",
        None,
    ),
    "better than it is": (
        f"{BACKTESTS}.beside_baseline",
        one(BACKTESTS, "is_better_than_baseline = true", "not is_better_than_baseline"),
        1,
    ),
    "a share outside its interval": (
        f"{BANDS}.share_within_interval",
        one(BANDS, "wilson_high = crossing_share_3m - 0.000001", "crossing_share_3m > 0"),
        1,
    ),
    "a share without interval": (
        f"{BANDS}.share_within_interval",
        one(BANDS, "wilson_low = null", "wilson_low is not null"),
        1,
    ),
    "a verdict on the future": (
        f"{BANDS}.verdict_answers_claim",
        one(BANDS, "verdict = 'holds'", "crossing_share_3m is null"),
        1,
    ),
    "a verdict on nothing": (f"{BANDS}.verdict_answers_claim", one(BANDS, "verdict = 'undecided'", "claim is null"), 1),
    "another verdict": (f"{BANDS}.verdict_answers_claim", one(BANDS, "verdict = 'maybe'", "claim is not null"), 1),
    "a month without verdict": (
        "dim_tier_policies.has_bands_of_every_month",
        without_one(BANDS, f"band = 'stable' and {MID}"),
        1,
    ),
    "a flag without cause": (f"{DRESSING}.flag_fits_limit", one(DRESSING, "is_flagged = true", "excess_amount < 0"), 1),
    "a flag taken off": (f"{DRESSING}.flag_fits_limit", one(DRESSING, "is_flagged = false", "is_flagged"), 1),
    "a branch not judged": (f"{DRESSING}.flag_fits_limit", one(DRESSING, "is_flagged = null", "level = 'branch'"), 1),
    "an id among the levels": (
        f"{DRESSING}.key_fits_level",
        one(DRESSING, "level_key = 'C00000001'", "level = 'customer'"),
        1,
    ),
    "a quarter end left out": ("dim_dates.has_dressing_of_every_month", f"delete from {DRESSING} where {MID}", 1),
    "an empty mart": (f"{AUM}.rows_present", f"delete from {AUM}", 1),
    "a column too many": ("dim_customers.contract_columns", "alter table dim_customers add column mobile text", 1),
    "a column too few": ("dim_customers.contract_columns", "alter table dim_customers drop column gender", 1),
    "a column of another name": (
        "dim_customers.contract_columns",
        "alter table dim_customers rename column gender to sex",
        1,
    ),
    "an id for a token": ("dim_customers.customer_is_token", one("dim_customers", "customer_key = 'C00000001'"), 1),
    "a longer hash": ("dim_customers.customer_is_token", one("dim_customers", "customer_key = sha256('C1')"), 1),
    "half a token": (
        "dim_customers.customer_is_token",
        one("dim_customers", "customer_key = left(customer_key, 16)"),
        1,
    ),
    "no customer": ("dim_customers.customer_is_token", one("dim_customers", "customer_key = null"), 1),
    **LIFETIME_DAMAGES,
}


@pytest.mark.parametrize(("rule", "sql", "rows"), DAMAGES.values(), ids=DAMAGES)
def test_a_mart_rule_fails_on_the_damage_it_is_there_for(reference_run, damaged, rule, sql, rows):
    (judged,) = [candidate for candidate in mart_rules(reference_run) if candidate.id == f"marts.{rule}"]
    (result,) = judge(damaged(sql), [judged]).results
    assert result.status == "failed", result.detail
    assert result.failed_rows == rows or (rows is None and result.failed_rows >= 1)


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
    damaged_rules = {rule for rule, _, _ in DAMAGES.values()}
    for rule in mart_rules(reference_run):
        kind = rule.id.rsplit(".", 1)[-1]
        assert kind in of_every_mart or rule.id.removeprefix("marts.") in damaged_rules, rule.id
