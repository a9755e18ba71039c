"""Corrections of a closed month: what was believed before stays on record, what is believed now is as if it had come at once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest
from conftest import FIRST, LAST, Run, settings_in

from crm_warehouse.beliefs import beliefs_folder, find_revisions, write_beliefs
from crm_warehouse.build import build, database_path
from crm_warehouse.explain.tier_facts import read_tier_facts
from crm_warehouse.explain.tier_sentences import sentences
from crm_warehouse.files import sha256_of
from crm_warehouse.landing import ACCEPTED, MANIFEST
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.settings import Settings
from crm_warehouse.what_if.compare import compare

CORRECTED_AT, AGAIN_AT = datetime(2026, 6, 20, 9), datetime(2026, 6, 25, 9)
HISTORY = "marts.fct_customer_tier_history"
STORY = "customer_key, valid_from, valid_to, tier_code, previous_tier_code, movement, reason, policy_version"


def correct(settings: Settings, sequence: int, received_at: datetime, factor: str) -> None:
    """Land May's balances once more, every amount times `factor`, as the gate would have accepted them."""
    day = settings.landing / "core" / "balances" / f"business_date={FIRST}"
    batch = day / f"batch={sequence}"
    shutil.copytree(day / "batch=1", batch)
    (batch / ACCEPTED).unlink()
    duckdb.execute(
        f"copy (select * replace (cast(balance_amount * {factor} as decimal(18, 2)) as balance_amount)"
        f" from '{day / 'batch=1' / ACCEPTED}') to '{batch / ACCEPTED}'"
    )
    manifest = json.loads((batch / MANIFEST).read_text(encoding="utf-8"))
    manifest |= {"batch": sequence, "received_at": f"{received_at.isoformat()}+00:00", "sha256": str(sequence) * 64}
    (batch / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def built(run: Run, home: Path, *corrections: tuple[int, datetime, str]) -> Settings:
    """The reference bank with corrections landed, built anew."""
    settings = settings_in(home, source_root=run.settings.source_root)
    shutil.copytree(run.settings.landing, settings.landing)
    shutil.copytree(run.settings.secrets, settings.secrets)
    for correction in corrections:
        correct(settings, *correction)
    build(settings, load_profile(settings), LAST, silent)
    return settings


def ask(settings: Settings, query: str) -> list[tuple]:
    with duckdb.connect(str(database_path(settings)), read_only=True) as connection:
        return connection.execute(query).fetchall()


def believed(settings: Settings, moment: datetime) -> list[tuple]:
    """The whole history as it was believed at a moment."""
    at = f"timestamp '{moment}'"
    return ask(settings, f"select {STORY} from {HISTORY} where known_from <= {at} and {at} < known_to order by all")


@pytest.fixture(scope="module")
def corrected(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    yield built(reference_run, tmp_path_factory.mktemp("corrected"), (2, CORRECTED_AT, "1.6"), (3, AGAIN_AT, "0.7"))


def test_a_batch_of_a_closed_month_is_a_revision_and_an_ordinary_night_is_none(reference_run: Run, corrected: Settings):
    assert find_revisions(reference_run.settings, load_profile(reference_run.settings), LAST) == []
    found = find_revisions(corrected, load_profile(corrected), LAST)
    assert [(revision.extract.name, revision.received_at) for revision in found] == [
        ("balances", CORRECTED_AT),
        ("balances", AGAIN_AT),
    ]


def test_what_was_believed_before_a_correction_is_what_was_reported_then(reference_run: Run, corrected: Settings):
    for moment in (datetime(2026, 5, 31, 23), datetime(2026, 6, 10, 23), datetime(2026, 6, 20, 8, 59)):
        then = believed(reference_run.settings, moment)
        assert then and believed(corrected, moment) == then


def test_what_is_believed_now_is_as_if_the_correction_had_come_at_once(
    reference_run: Run, corrected: Settings, tmp_path: Path
):
    at_once = built(reference_run, tmp_path, (2, datetime(2026, 5, 31, 17, 30), "0.7"))
    now = datetime(2026, 7, 1)
    assert believed(corrected, now) == believed(at_once, now)
    assert len({str(believed(corrected, moment)) for moment in (CORRECTED_AT, AGAIN_AT, datetime(2026, 6, 19))}) == 3


def test_a_rebuild_finds_the_same_beliefs_and_asks_the_kept_ones(corrected: Settings):
    folder, profile = beliefs_folder(corrected), load_profile(corrected)
    files = [folder / f"{part}.parquet" for part in ("beliefs", "ratings", "spells")]
    before, kept = (
        [sha256_of(file) for file in files],
        {path: path.stat().st_mtime_ns for path in folder.glob("kept/*")},
    )
    manifest = corrected.warehouse / "dbt" / "manifest.json"
    write_beliefs(corrected, profile, LAST, corrected.warehouse / "landing_batches.parquet", lambda: manifest)
    assert [sha256_of(file) for file in files] == before
    assert {path: path.stat().st_mtime_ns for path in folder.glob("kept/*")} == kept and len(kept) == 2


def test_without_corrections_there_is_one_belief(reference_run: Run):
    folder = beliefs_folder(reference_run.settings)
    counts = [
        duckdb.sql(f"select count(*) from '{folder / part}.parquet'").fetchone()[0]
        for part in ("beliefs", "ratings", "spells")
    ]
    assert counts == [1, 0, 0]


def test_explain_tells_what_was_believed_until_the_correction(corrected: Settings):
    covers = "{0}.valid_from <= date '2026-06-01' and {0}.valid_to > date '2026-06-01'"
    [(key, before, after)] = ask(
        corrected,
        f"select customer_key, old.tier_code, new.tier_code from {HISTORY} as old join {HISTORY} as new using (customer_key)"
        f" where old.known_to = timestamp '{AGAIN_AT}' and new.known_to = timestamp '9999-12-31'"
        f" and {covers.format('old')} and {covers.format('new')} and old.tier_code <> new.tier_code order by 1 limit 1",
    )
    facts = read_tier_facts(corrected, key, FIRST.replace(day=1))
    assert facts["state"]["held_tier_code"] == after
    assert {"until": AGAIN_AT, "held_tier_code": before, "rated_tier_code": before} in facts["believed_before"]
    assert any("until 2026-06-25 09:00 UTC, when a correction was received" in en for en, _ in sentences(facts))
    assert ("core__balances", FIRST, 3) in {
        (file["source_table"], file["business_date"], file["batch"]) for file in facts["positions_from"]
    }


def test_what_if_compares_by_what_is_known_now(corrected: Settings):
    found = compare(corrected, "default", [], None, None)
    assert (found["differing_customer_months"], found["differing_movements"]) == (0, 0)
