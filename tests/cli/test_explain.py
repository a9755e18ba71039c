"""`explain tier`: the sum of the parts is the rating, misses are told, and nobody is named."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from conftest import Run
from test_cli import cli, sentence_of
from warehouses import home_built_with, home_of

from crm_warehouse.errors import SettingsError
from crm_warehouse.explain.tier_facts import read_tier_facts
from crm_warehouse.explain.tier_sentences import sentences
from crm_warehouse.settings import Settings

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


@pytest.fixture
def home(reference_run: Run, tmp_path: Path) -> Settings:
    return home_of(reference_run, tmp_path / "home")


def asked(settings: Settings, query: str, *values: object) -> list[tuple]:
    with duckdb.connect(str(settings.warehouse / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(query, list(values)).fetchall()


def rows_of(settings: Settings, where: str, month: date, most: int = 1) -> list[tuple]:
    return asked(
        settings,
        "select customer_key, rating_amount, tier_code, held_tier_code, misses_in_grace from marts.fct_customer_tiers_monthly"
        f" where month = ? and {where} order by rating_amount desc, customer_key limit {most}",
        month,
    )


@pytest.mark.parametrize("month", [date(2025, 2, 1), MAY, JUNE])
def test_the_sum_of_the_parts_is_the_rating_in_the_mart(reference_run: Run, month: date):
    for key, rating, tier, *_ in rows_of(reference_run.settings, "rating_amount > 0", month, 3):
        facts = read_tier_facts(reference_run.settings, key, month)
        assert len(facts["families"]) > 1
        assert sum(facts["families"].values()) == rating == facts["rating"]["rating_amount"]
        assert facts["rating"]["tier_code"] == tier


@pytest.mark.parametrize("ladder", ["ccb", "cmb"])
def test_the_parts_add_up_under_another_divisor_and_scope(reference_run: Run, tmp_path: Path, ladder: str):
    settings = home_built_with(reference_run, tmp_path / "home", ladder)
    for key, rating, *_ in rows_of(settings, "rating_amount > 0", JUNE, 3):
        assert sum(read_tier_facts(settings, key, JUNE)["families"].values()) == rating


def test_a_merged_record_counts_and_its_customer_is_sent_on(reference_run: Run):
    settings = reference_run.settings
    merged = asked(
        settings,
        "select keys.customer_key, others.customer_key from intermediate.int_rating_members as members"
        " join intermediate.int_customer_keys as keys using (customer_id)"
        " join intermediate.int_customer_keys as others on others.customer_id = members.member_id"
        " join marts.fct_customer_tiers_monthly as monthly on monthly.customer_key = keys.customer_key"
        "   and monthly.month = members.month"
        " where members.month = ? and rating_kind = 'own' and not monthly.is_partial_month order by all",
        JUNE,
    )
    if not merged:
        pytest.skip("nobody of these 300 has a second record")
    key, other = merged[0]
    facts = read_tier_facts(settings, key, JUNE)
    assert other in facts["members"]
    assert sum(facts["families"].values()) == facts["rating"]["rating_amount"]
    with pytest.raises(SettingsError, match=key):
        read_tier_facts(settings, other, JUNE)


def test_the_files_are_those_that_landed(reference_run: Run):
    key, *_ = rows_of(reference_run.settings, "rating_amount > 0", JUNE)[0]
    facts = read_tier_facts(reference_run.settings, key, JUNE)
    files = {(file["source_table"], str(file["business_date"])) for file in facts["positions_from"]}
    assert ("core__balances", "2026-06-30") in files
    assert {table for table, _ in files} <= {"core__balances", "wealth__holdings"}
    assert "core__customers" in {file["source_table"] for file in facts["beside_them"]}
    for file in facts["positions_from"] + facts["beside_them"]:
        source, extract = file["source_table"].split("__")
        folder = reference_run.settings.landing / source / extract / f"business_date={file['business_date']}"
        manifest = json.loads((folder / f"batch={file['batch']}" / "manifest.json").read_text(encoding="utf-8"))
        assert (manifest["sha256"], manifest["file"]) == (file["sha256"], file["file"])


def test_a_month_that_was_stated_afterwards_names_the_delivery_that_stated_it(reference_run: Run):
    key, *_ = rows_of(reference_run.settings, "rating_amount > 0", date(2025, 2, 1))[0]
    files = read_tier_facts(reference_run.settings, key, date(2025, 2, 1))["positions_from"]
    assert {str(file["business_date"]) for file in files} == {"2026-05-31"}


def test_a_forgiven_miss_is_explained(reference_run: Run, tmp_path: Path):
    settings = home_built_with(reference_run, tmp_path / "home", "bohai")
    key, _, tier, held, misses = rows_of(settings, "misses_in_grace = 1 and held_tier_code <> 'private'", MAY)[0]
    assert (tier != held, misses) == (True, 1)
    facts = read_tier_facts(settings, key, MAY)
    said = [en for en, _ in sentences(facts)]
    assert any("for the 1st time in a row, which is forgiven (miss 3 loses the tier)" in en for en in said)
    assert any("would be forgiven as miss 2; miss 3 loses it, to the tier of that rating" in en for en in said)
    assert any("bohai-2024-01" in en and "DEC-2026-011" in en for en in said)
    assert any("予以宽限" in zh for _, zh in sentences(facts))


def test_a_tier_that_was_lost_says_from_when_and_what_was_held(reference_run: Run):
    [(key, before, after)] = asked(
        reference_run.settings,
        "select customer_key, previous_tier_code, tier_code from marts.fct_customer_tier_history"
        " where movement = 'down' and valid_from = date '2026-06-01' and known_to = timestamp '9999-12-31'"
        " and valid_to = date '9999-12-31' order by customer_key limit 1",
    )
    facts = read_tier_facts(reference_run.settings, key, MAY)
    assert (facts["before"]["tier_code"], facts["state"]["held_tier_code"]) == (before, after)
    assert (facts["effect"]["on"], facts["effect"]["is_shown"]) == (JUNE, True)
    said = " / ".join(en for en, _ in sentences(facts))
    assert "for 2026-06-01: down (rating below threshold), still in force" in said


def test_who_holds_the_key_may_ask_by_id_and_nobody_is_named(home: Settings, everything: dict[str, pd.DataFrame]):
    key, *_ = rows_of(home, "rating_amount > 0", MAY)[0]
    [(customer_id,)] = asked(home, "select customer_id from intermediate.int_customer_keys where customer_key = ?", key)
    by_id, by_key = (cli(home.home, "explain", "tier", who, "2026-05", COLUMNS="200") for who in (customer_id, key))
    assert by_id.returncode == 0, by_id.stderr
    assert by_id.stdout == by_key.stdout
    as_json = cli(home.home, "explain", "tier", customer_id, "2026-05", "--json").stdout
    assert json.loads(as_json)["customer_key"] == key
    customers = everything["core.customers"].set_index("customer_id")
    personal = [customer_id, *customers.loc[customer_id, ["customer_name", "id_number", "mobile"]].dropna()]
    assert not any(value in by_id.stdout + as_json for value in personal)


def test_without_the_key_an_id_says_nothing(reference_run: Run, tmp_path: Path):
    settings = home_of(reference_run, tmp_path / "home")
    (settings.home / "secrets").unlink()
    [(customer_id,)] = asked(settings, "select min(customer_id) from intermediate.int_customer_keys")
    said = sentence_of(cli(settings.home, "explain", "tier", customer_id, "2026-05"))
    assert "knows no such customer" in said
    assert customer_id not in said
    assert not settings.secrets.exists()


@pytest.mark.parametrize("month", ["2020-01", "2031-01"])
def test_a_month_out_of_range_is_one_sentence(home: Settings, month: str):
    key, *_ = rows_of(home, "rating_amount > 0", MAY)[0]
    said = sentence_of(cli(home.home, "explain", "tier", key, month))
    assert f"nothing is rated in {month}" in said
    assert "2024-06 to 2026-06" in said
