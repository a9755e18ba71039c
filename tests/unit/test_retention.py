"""Originals of accepted batches age out by policy; their sha256, their rows and all that is not accepted stay."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from unit.tiny_bank import BALANCE, CUSTOMER, DAY, PARAMETERS, TUESDAY, TinyBank, profile_body, write_profile

from crm_warehouse.evidence import log
from crm_warehouse.landing import ACCEPTED, Batch
from crm_warehouse.profile import load_profile
from crm_warehouse.retention import age_out_originals

ACCEPTED_AT = datetime(2026, 6, 2, 3, 0, tzinfo=UTC)
POLICY = PARAMETERS + "original_retention_days,30,2025-01-01,data-owner,DEC-2,Days that originals are kept\n"


def bank(folder: Path, policy: str = POLICY) -> TinyBank:
    settings = write_profile(folder, profile_body(), policy_parameters=policy)
    return TinyBank(settings, load_profile(settings))


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    return bank(tmp_path)


def landed(
    tiny: TinyBank, table: str = "core__customers", accepted_at: datetime | None = ACCEPTED_AT, day=DAY
) -> Batch:
    tiny.send("core__customers", [CUSTOMER], day)
    tiny.send("core__balances", [BALANCE], day)
    batch, _ = tiny.land(table, day)
    if accepted_at:
        (batch.folder / ACCEPTED).touch()
        os.utime(batch.folder / ACCEPTED, (accepted_at.timestamp(), accepted_at.timestamp()))
    return batch


def original_of(batch: Batch) -> Path:
    return batch.folder / batch.manifest["file"]


@pytest.mark.parametrize(("days", "is_kept"), [(29.99, True), (30, False), (400, False)])
def test_the_original_of_an_accepted_batch_is_kept_for_the_days_of_the_policy(tiny, days, is_kept):
    batch = landed(tiny)
    age_out_originals(tiny.settings, tiny.profile, ACCEPTED_AT + timedelta(days))
    assert original_of(batch).is_file() == is_kept
    kept = {path.name for path in batch.folder.iterdir()} - {batch.manifest["file"]}
    assert kept == {"manifest.json", "rows.parquet", ACCEPTED}


def test_the_original_of_a_batch_that_was_not_accepted_is_kept_for_ever(tiny):
    batch = landed(tiny, accepted_at=None)
    assert age_out_originals(tiny.settings, tiny.profile, ACCEPTED_AT + timedelta(10_000)) == []
    assert original_of(batch).is_file()


def test_a_bank_without_the_policy_keeps_all(tmp_path):
    tiny = bank(tmp_path, PARAMETERS)
    batch = landed(tiny)
    assert age_out_originals(tiny.settings, tiny.profile, ACCEPTED_AT + timedelta(10_000)) == []
    assert original_of(batch).is_file()


def test_what_ages_out_is_on_record_with_its_sha256_and_only_once(tiny):
    batch = landed(tiny)
    later = ACCEPTED_AT + timedelta(31)
    assert len(age_out_originals(tiny.settings, tiny.profile, later)) == 1
    assert age_out_originals(tiny.settings, tiny.profile, later) == []
    (entry,) = log.read_entries(tiny.settings)
    assert entry["event"] == "originals_aged_out"
    (original,) = entry["body"]["originals"]
    assert (original["file"], original["sha256"]) == ("customers.csv", batch.sha256)


def test_killed_half_way_the_next_run_removes_the_rest(tiny, monkeypatch):
    batches = [landed(tiny), landed(tiny, "core__balances"), landed(tiny, day=TUESDAY)]
    later, unlink, removed = ACCEPTED_AT + timedelta(31), Path.unlink, []

    def die_after_one(path: Path, missing_ok: bool = False) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(unlink(path, missing_ok))

    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(Path, "unlink", die_after_one)
        age_out_originals(tiny.settings, tiny.profile, later)
    assert sum(original_of(batch).is_file() for batch in batches) == 2
    assert len(age_out_originals(tiny.settings, tiny.profile, later)) == 2
    assert not any(original_of(batch).exists() for batch in batches)
    assert log.verify(tiny.settings) is None


def test_a_delivery_whose_original_has_aged_out_is_still_known(tiny):
    batch = landed(tiny)
    age_out_originals(tiny.settings, tiny.profile, ACCEPTED_AT + timedelta(31))
    assert tiny.land("core__customers") == (batch, False)
    assert not original_of(batch).exists()
