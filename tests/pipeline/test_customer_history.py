"""A customer's history end to end: who vanishes and returns, and a correction that rewrites only the intervals it touches."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest
from conftest import LAST, Run, settings_in

from crm_warehouse.build import build, database_path
from crm_warehouse.landing import ACCEPTED, MANIFEST
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.settings import Settings

CORRECTED, NEXT = date(2026, 6, 10), date(2026, 6, 11)
MOVED, RERATED, VANISHED, LOST = "C00000001", "C00000002", "C00000003", "C00000004"


def land_again(settings: Settings, day: date, sequence: int, select: str, received_at: str) -> None:
    """Another batch of the customers of a day, as the gate would have accepted it: `select` over the day's `landed` rows."""
    folder = settings.landing / "core" / "customers" / f"business_date={day}"
    batch = folder / f"batch={sequence}"
    shutil.copytree(folder / "batch=1", batch)
    (batch / ACCEPTED).unlink()
    duckdb.execute(f"copy (with landed as (from '{folder / 'batch=1' / ACCEPTED}') {select}) to '{batch / ACCEPTED}'")
    manifest = json.loads((batch / MANIFEST).read_text(encoding="utf-8"))
    manifest |= {"batch": sequence, "received_at": f"{received_at}+00:00", "sha256": str(sequence) * 64}
    (batch / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def history(settings: Settings) -> dict[str, list[tuple]]:
    """Every interval by customer; the data tests (no gap, no overlap, ends in dim_customers) ran with the build."""
    with duckdb.connect(str(database_path(settings)), read_only=True) as connection:
        rows = connection.execute(
            "select keys.customer_id, history.* exclude (customer_key, first_record_key)"
            " from marts.dim_customers_history as history join intermediate.int_customer_keys as keys using (customer_key)"
            " order by customer_id, valid_from"
        ).fetchall()
    found: dict[str, list[tuple]] = {}
    for customer, *row in rows:
        found.setdefault(customer, []).append(tuple(row))
    return found


def of(settings: Settings, customer: str, columns: str) -> list[tuple]:
    with duckdb.connect(str(database_path(settings)), read_only=True) as connection:
        return connection.execute(
            f"select valid_from, valid_to, {columns} from marts.dim_customers_history"
            " join intermediate.int_customer_keys using (customer_key)"
            f" where customer_id = '{customer}' and valid_to > date '2026-06-01' order by 1"
        ).fetchall()


def built(run: Run, home: Path, *batches: tuple[date, int, str, str]) -> Settings:
    """The reference bank with these batches landed in this order, built anew."""
    settings = settings_in(home, source_root=run.settings.source_root)
    shutil.copytree(run.settings.landing, settings.landing)
    shutil.copytree(run.settings.secrets, settings.secrets)
    for batch in batches:
        land_again(settings, *batch)
    build(settings, load_profile(settings), LAST, silent)
    return settings


# Three customers are another way for one day each, one is not named on it and comes back, one is not named from the last day on.
CORRECTION = (
    CORRECTED,
    2,
    f"select * replace (case when customer_id = '{MOVED}' then 'B999' else branch_id end as branch_id,"
    f" case when customer_id = '{RERATED}' then null else occupation_code end as occupation_code)"
    f" from landed where customer_id <> '{VANISHED}'",
    "2026-06-20T09:00:00",
)
MISTAKEN = (CORRECTED, 2, "select * replace ('B998' as branch_id) from landed", "2026-06-15T09:00:00")
MENDED = (CORRECTED, 3, CORRECTION[2], CORRECTION[3])
DROPPED = (LAST, 2, f"select * from landed where customer_id <> '{LOST}'", "2026-07-01T09:00:00")


@pytest.fixture(scope="module")
def corrected(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return built(reference_run, tmp_path_factory.mktemp("corrected_customers"), CORRECTION, DROPPED)


def test_a_correction_of_a_past_day_changes_the_intervals_it_touches_and_no_others(
    reference_run: Run, corrected: Settings
):
    before, after = history(reference_run.settings), history(corrected)
    assert {customer for customer in before if before[customer] != after[customer]} == {MOVED, RERATED, VANISHED, LOST}
    assert before.keys() == after.keys()
    for customer in (MOVED, RERATED, VANISHED):
        kept = [row for row in before[customer] if row[1] <= CORRECTED]
        assert after[customer][: len(kept)] == kept
        (whole,) = [row for row in before[customer] if row[0] <= CORRECTED < row[1]]
        around = [row for row in after[customer] if row not in kept and row[0] <= NEXT]
        assert [row[:2] for row in around] == [(whole[0], CORRECTED), (CORRECTED, NEXT), (NEXT, whole[1])]
        assert around[0][2:] == around[2][2:] == whole[2:] != around[1][2:]


def test_what_a_correction_says_holds_from_its_date_to_the_next_delivery(corrected: Settings):
    assert [row[2] for row in of(corrected, MOVED, "branch_id") if row[0] == CORRECTED] == ["B999"]
    [(_, _, occupation, filled, expected)] = [
        row
        for row in of(corrected, RERATED, "occupation_code, attributes_filled, attributes_expected")
        if row[0] == CORRECTED
    ]
    assert occupation is None and filled < expected


def test_who_vanishes_is_unlisted_from_that_delivery_until_named_again_with_what_was_known_last(corrected: Settings):
    listed = [
        (row[0], row[1], row[2]) for row in of(corrected, VANISHED, "is_listed") if row[0] >= CORRECTED or not row[2]
    ]
    assert (CORRECTED, NEXT, False) in listed and [row[2] for row in listed].count(False) == 1
    states = {row[2:] for row in of(corrected, VANISHED, "branch_id, gender, risk_rating")}
    assert len(states) == 1
    last = of(corrected, LOST, "is_listed, branch_id")
    assert last[-1][:3] == (LAST, date(9999, 12, 31), False) and last[-1][3] == last[-2][3]


def test_a_replay_and_a_correction_of_a_correction_end_in_the_same_rows(
    reference_run: Run, corrected: Settings, tmp_path: Path
):
    """Another order, with a mistaken batch between: what counts is the batch in force of each date."""
    again = built(reference_run, tmp_path, DROPPED, MENDED, MISTAKEN)
    assert history(again) == history(corrected)
