"""Marts against the ground truth: what is found is found for the right customers, and only a simulated bank has a truth."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import Run, settings_in
from faults.homes import copy_of

from crm_warehouse.errors import SettingsError
from crm_warehouse.publish import versions
from crm_warehouse.score import MEASURES, score_marts
from crm_warehouse.settings import Settings


@pytest.fixture(scope="module")
def home_with_truth(reference_run: Run, simulated_bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = copy_of(reference_run, tmp_path_factory.mktemp("score") / "home")
    shutil.copytree(simulated_bank.parent / "ground_truth", settings.ground_truth)
    return settings


def test_a_run_publishes_where_there_is_no_ground_truth_at_all(reference_run: Run):
    assert reference_run.summary["outcome"] == "published" and not reference_run.settings.ground_truth.exists()


def test_every_tier_move_has_a_true_cause_and_no_exit_is_invented(home_with_truth: Settings):
    scores, awaited = score_marts(home_with_truth)
    found = {score.name: score for score in scores}
    assert set(found) == set(MEASURES) and "fct_rm_departures" in awaited
    moves, exits = found["tier_moves_explained"], found["exits_found"]
    assert moves.total > 10 and moves.found == moves.total
    assert exits.total > 4 and exits.wrong == 0 and exits.recall > 0.6


def test_churn_has_true_causes_and_no_closing_is_invented(home_with_truth: Settings):
    found = {score.name: score for score in score_marts(home_with_truth)[0]}
    closings, fallen, moves = (
        found[name] for name in ("closings_found", "value_churn_explained", "tier_churn_explained")
    )
    assert closings.total > 4 and closings.wrong == 0 and closings.recall > 0.6
    assert fallen.total > 4 and fallen.recall > 0.6
    assert moves.total > 10 and moves.found == moves.total


def test_who_is_drained_by_a_rival_is_looked_for_among_those_who_can_be_judged(home_with_truth: Settings):
    """Of 300 customers none is drained: here one whose assets fell, one whose did not, and one of whom too little is known."""
    drains = home_with_truth.ground_truth / "drains.parquet"
    kept = drains.read_bytes()
    published = home_with_truth.published / versions.live_version(home_with_truth)["file"]
    tokens = f"read_parquet('{home_with_truth.warehouse / 'customer_tokens.parquet'}')"
    try:
        with duckdb.connect() as database:
            database.execute(f"attach '{published}' as published (read_only)")
            database.execute(
                f"""create table drained as
                with churn as (select * from published.marts.fct_customer_churn inner join {tokens} using (customer_key))
                (select customer_id, month from churn where month = value_churn_from and month < date '2026-06-01' order by all limit 1)
                union all
                (
                    select customer_id, date '2025-06-01' from churn
                    group by customer_id having bool_and(coalesce(not is_value_churn, true) and not is_closed) and count(trailing_max_amount) = 18
                    order by customer_id limit 1
                )
                union all
                select customer_id, date '2024-06-01' from churn where month = date '2024-06-01' and not is_closed and customer_id in (
                    select customer_id from churn group by customer_id having not bool_or(is_closed)
                ) limit 3"""
            )
            database.execute(
                f"copy (select customer_id, cast(month as date) as month, 0.5 as share, 'I' as rival_institution_id, 'rival' as cause"
                f" from drained) to '{drains}'"
            )
        (found,) = [score for score in score_marts(home_with_truth)[0] if score.name == "drains_found"]
        assert (found.found, found.total) == (1, 2)
    finally:
        drains.write_bytes(kept)


def test_wealth_elsewhere_is_ranked_better_than_by_chance(home_with_truth: Settings):
    """Of 300 customers too few leave for a claim on churn: only that it is scored."""
    found = {score.name: score for score in score_marts(home_with_truth)[0]}
    wealth, left, unlikely = (
        found[name] for name in ("wealth_elsewhere_ranked", "churners_marked_down", "unlikely_to_stay_marked_down")
    )
    assert wealth.total >= 28 and wealth.recall > 0.2
    assert left.total > 1000 and 0 <= left.recall <= 1
    assert unlikely.total > 8000 and unlikely.recall > 0.45


def test_platform_stocks_are_ranked_and_never_missed_but_estimated_too_high(home_with_truth: Settings):
    """What is paid from a wallet is not seen: the estimate holds nearly all that is there, and up to three times as much."""
    found = {score.name: score for score in score_marts(home_with_truth)[0]}
    ranked, amount = found["platform_stock_ranked"], found["platform_stock_estimated"]
    assert ranked.total >= 20 and ranked.recall > 0.4
    assert amount.total > 1_000_000 and amount.recall > 0.9
    assert 1 < (amount.found + amount.wrong) / amount.total < 3


def test_poached_customers_are_found_by_bank_and_month(home_with_truth: Settings):
    """Nobody of 300 is drawn by a rival; so a truth is made: all that is shown but one, and one whom nobody drew."""
    drains = home_with_truth.ground_truth / "drains.parquet"
    kept = drains.read_bytes()
    name = "poached_customers_found"
    (nobody,) = (score for score in score_marts(home_with_truth)[0] if score.name == name)
    assert (nobody.found, nobody.total) == (0, 0) and nobody.recall is None and nobody.wrong > 10
    try:
        with duckdb.connect() as database:
            live = home_with_truth.published / versions.live_version(home_with_truth)["file"]
            database.execute(f"attach '{live}' as published (read_only)")
            shown = f"""
                select customer_id, date_trunc('month', outflow_date) as month, cast(0.2 as double) as share, destination_institution_id as rival_institution_id
                from published.marts.fct_competitor_outflows
                inner join read_parquet('{home_with_truth.warehouse / "customer_tokens.parquet"}') using (customer_key)
                where starts_poaching order by customer_id, month
            """
            database.execute(f"create table shown as {shown}")
            database.execute("delete from shown where rowid = (select max(rowid) from shown)")
            database.execute("insert into shown select customer_id, month, share, 'BK99' from shown where rowid = 0")
            database.execute("insert into shown select customer_id, month, 0.19, 'BK98' from shown where rowid = 0")
            database.execute(f"copy shown to '{drains}'")
        (made,) = (score for score in score_marts(home_with_truth)[0] if score.name == name)
        assert made.found == nobody.wrong - 1 and made.total == nobody.wrong and made.wrong == 1
    finally:
        drains.write_bytes(kept)


def test_a_wrong_truth_is_noticed(home_with_truth: Settings, tmp_path: Path):
    """Else the score could not fail."""
    exits, moves = (home_with_truth.ground_truth / f"{name}.parquet" for name in ("exits", "asset_moves"))
    kept = {path: path.read_bytes() for path in (exits, moves)}
    try:
        with duckdb.connect() as database:
            for path, change in ((exits, "closed_on - 40 as closed_on"), (moves, "month + interval 1 year as month")):
                shutil.copy(path, tmp_path / path.name)
                source = f"read_parquet('{tmp_path / path.name}')"
                column = change.split()[0]
                database.execute(f"copy (select * exclude ({column}), {change} from {source}) to '{path}'")
        found = {score.name: score for score in score_marts(home_with_truth)[0]}
        assert found["exits_found"].wrong > 0 and found["closings_found"].wrong > 0
        assert found["tier_churn_explained"].found < found["tier_churn_explained"].total
        assert found["tier_moves_explained"].found < found["tier_moves_explained"].total
    finally:
        for path, content in kept.items():
            path.write_bytes(content)


def test_without_a_truth_or_a_published_version_the_score_says_so(reference_run: Run, tmp_path: Path):
    with pytest.raises(SettingsError, match="only a simulated bank has one"):
        score_marts(reference_run.settings)
    with pytest.raises(SettingsError, match="nothing is published yet"):
        score_marts(settings_in(tmp_path))
