"""`what-if`: another ladder over the same history, counted beside what is published."""

from __future__ import annotations

import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from conftest import Run
from test_cli import cli, sentence_of
from warehouses import home_built_with, home_of

from crm_warehouse.settings import Settings
from crm_warehouse.what_if import show
from crm_warehouse.what_if.compare import compare

FIRST, LAST = date(2025, 1, 1), date(2026, 5, 1)
PERIOD = ("--from", "2025-01", "--to", "2026-05")


@pytest.fixture
def home(reference_run: Run, tmp_path: Path) -> Settings:
    return home_of(reference_run, tmp_path / "home")


def by_hand(run: Run, code: str, below: int, month: date = LAST) -> tuple[int, Decimal]:
    """Customers who are with the bank at the month's end, rated in the tier, and below an amount."""
    query = """
        select count(*), coalesce(sum(rating_amount), 0) from marts.fct_customer_tiers_monthly as monthly
        where month = ? and tier_code = ? and rating_amount < ? and not exists (
            select 1 from marts.fct_customer_tier_history as history
            where history.customer_key = monthly.customer_key and known_to = timestamp '9999-12-31'
                and tier_code is null and valid_from <= last_day(month) and valid_to > last_day(month)
        )
    """
    with duckdb.connect(str(run.published_file), read_only=True) as bi:
        return bi.execute(query, [month, code, below]).fetchone()


@pytest.mark.parametrize(("code", "amount"), [("private", 8_000_000), ("diamond", 3_000_000), ("gold", 100_000)])
def test_raising_a_threshold_drops_whom_one_counts_by_hand(reference_run: Run, code: str, amount: int):
    found = compare(reference_run.settings, None, [f"{code}={amount}"], FIRST, LAST)
    tier = next(tier for tier in found["tiers"] if tier["tier_code"] == code)
    assert (tier["lost"], tier["lost_amount"]) == by_hand(reference_run, code, amount)
    assert (tier["gained"], tier["gained_amount"]) == (0, 0)
    assert sum(row["customers"] for row in found["crossings"]) == tier["lost"]
    assert tier["active_customers"] - tier["candidate_customers"] == tier["lost"]


def test_that_counting_by_hand_finds_somebody(reference_run: Run):
    """Else the test above could not fail."""
    assert by_hand(reference_run, "gold", 100_000)[0] > 3


@pytest.mark.parametrize("ladder", ["default", "bohai"])
def test_replaying_the_ladder_of_the_build_differs_in_nothing(reference_run: Run, tmp_path: Path, ladder: str):
    """`bohai` forgives misses: the warehouse is one that was built with it, and its own files still name the default."""
    if ladder == "default":
        settings = reference_run.settings
    else:
        settings = home_built_with(reference_run, tmp_path / "home", ladder)
    found = compare(settings, ladder, [], None, None)
    assert (found["differing_customer_months"], found["differing_movements"], found["crossings"]) == (0, 0, [])
    assert all(row["active"] == row["candidate"] for row in found["movements"])
    if ladder == "default":
        assert show.sentences(found)[0][0].startswith("nothing differs: from 2024-06 to 2026-06")


def test_a_graced_preset_differs_and_loses_nobody_upwards(reference_run: Run):
    """Bohai has the thresholds of the active ladder and forgives: nobody can be lower than without grace."""
    found = compare(reference_run.settings, "bohai", [], FIRST, LAST)
    ranks = {tier["tier_code"]: tier["active_threshold_amount"] for tier in found["tiers"]}
    assert found["differing_customer_months"] > 0
    assert all(ranks[row["to_tier"]] > ranks[row["from_tier"]] for row in found["crossings"])
    downs = [
        sum(row[side] for row in found["movements"] if row["movement"] == "down") for side in ("active", "candidate")
    ]
    assert downs[1] < downs[0]
    assert any("grace_months 0 -> 6 of Private banking" in en for en, _ in show.sentences(found))


def test_tiers_that_only_one_ladder_has_stand_side_by_side(reference_run: Run):
    found = compare(reference_run.settings, "cmb", [], FIRST, LAST)
    tiers = {tier["tier_code"]: tier for tier in found["tiers"]}
    assert tiers["sunflower"]["active_threshold_amount"] is None
    assert tiers["diamond"]["candidate_threshold_amount"] is None
    assert tiers["diamond"]["lost"] == tiers["diamond"]["active_customers"]
    for side in ("active", "candidate"):
        total = sum(tier[f"{side}_customers"] for tier in found["tiers"])
        assert total == sum(r["customers"] for r in found["months"] if r["side"] == side and r["month"] == LAST)
    amounts = [row["amount"] for row in found["crossings"]]
    assert amounts == sorted(amounts, reverse=True)


def test_the_same_question_has_the_same_answer_and_page_and_the_warehouse_is_not_touched(home: Settings):
    database = home.warehouse / "warehouse.duckdb"
    before = database.stat().st_mtime_ns
    answers = [compare(home, "ccb", [], FIRST, LAST, 5) for _ in range(2)]
    assert answers[0] == answers[1]
    pages = [show.draw(home, answer).read_bytes() for answer in answers]
    assert pages[0] == pages[1]
    assert "私人银行" in pages[0].decode("utf-8")
    assert database.stat().st_mtime_ns == before


def test_the_command_says_it_in_both_languages_and_names_nobody_unasked(home: Settings):
    asked = ("what-if", "--threshold", "gold=100000", *PERIOD)
    done = cli(home.home, *asked, COLUMNS="200")
    assert done.returncode == 0, done.stderr
    assert "raising Gold from 50,000 to 100,000 drops " in done.stdout
    assert "金卡门槛由5万升至10万，减少 " in done.stdout
    found = json.loads(cli(home.home, *asked, "--customers", "3", "--json").stdout)
    keys = [row["customer_key"] for row in found["customers"]]
    assert len(keys) == 3
    assert not any(key in done.stdout + Path(found["page"]).read_text(encoding="utf-8") for key in keys)
    listed = cli(home.home, *asked, "--customers", "3", COLUMNS="200").stdout
    assert all(key in listed for key in keys)


def test_a_folder_with_a_bad_ladder_is_refused_by_one_sentence(home: Settings, tmp_path: Path):
    folder = tmp_path / "ladder"
    folder.mkdir()
    for name in ("tier_policies", "tier_thresholds"):
        shutil.copy(home.bank_folder / "policy" / f"{name}.csv", folder)
    file = folder / "tier_thresholds.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(",6,6000000,", ",6,1000000,", 1), encoding="utf-8")
    said = sentence_of(cli(home.home, "what-if", "--ladder", str(folder), *PERIOD))
    assert "tier_thresholds.csv, line 7" in said
    assert "a higher rank has a higher threshold_amount" in said
    assert not home.report.exists()


def test_a_number_that_no_column_holds_is_one_sentence(home: Settings, tmp_path: Path):
    for name in ("tier_policies", "tier_thresholds"):
        shutil.copy(home.bank_folder / "policy" / f"{name}.csv", tmp_path)
    file = tmp_path / "tier_thresholds.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("0.20,1000000,0,true", "0.20,1000000,99999999999,true", 1))
    assert "cannot be replayed" in sentence_of(cli(home.home, "what-if", "--ladder", str(tmp_path), *PERIOD))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--ladder", "cmb", "--from", "2020-01"), "no period of the warehouse"),
        (("--ladder", "cmb", "--from", "2026-05", "--to", "2025-05"), "no period of the warehouse"),
        ((), "say what is to differ"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(home: Settings, asked: tuple[str, ...], said: str):
    assert said in sentence_of(cli(home.home, "what-if", *asked))


def test_before_anything_was_built_both_commands_say_what_to_do(tmp_path: Path):
    for command in (("what-if", "--ladder", "cmb"), ("explain", "tier", "x", "2026-05")):
        assert "nothing is built yet" in sentence_of(cli(tmp_path / "home", *command))
