"""Late and corrected deliveries: the next sequence number, a later time, and the very files back."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from conftest import settings_in

from crm_warehouse import pipeline
from crm_warehouse.errors import CorruptionRefused
from crm_warehouse.extract import Delivery, extract
from crm_warehouse.profile import Extract, Profile, load_profile
from crm_warehouse.simulator import Simulation, simulate
from crm_warehouse.simulator.corruption import aside
from crm_warehouse.simulator.corruption.damage import corrupt, find_extract
from crm_warehouse.simulator.corruption.delivery_files import read_sent, sent_path
from crm_warehouse.simulator.corruption.redelivery import deliver_corrected, release, withhold

DAY = date(2026, 6, 15)


@pytest.fixture
def bank(simulated_bank: Path, tmp_path: Path) -> tuple[Path, Profile]:
    for folder in simulated_bank.glob(f"*/{DAY}"):
        shutil.copytree(folder, tmp_path / folder.relative_to(simulated_bank))
    return tmp_path, load_profile(settings_in(tmp_path, source_root=tmp_path))


def received(profile: Profile, spec: Extract, root: Path) -> Delivery:
    """The delivery as the pipeline receives it."""
    with pipeline.opened_source(settings_in(root, source_root=root), profile, spec.source) as opened:
        return extract(profile, spec, opened, DAY)


@pytest.mark.parametrize("table", ["core.balances", "core.customers", "wealth.holdings", "crm.rm_assignments"])
def test_a_backdated_correction_changes_a_thousandth_of_the_rows_and_is_a_whole_delivery(bank, table):
    root, profile = bank
    spec = find_extract(profile.extracts, table)
    first = received(profile, spec, root)
    assert "sequence 2: a backdated correction of 0.1% of the rows" in deliver_corrected(root, spec, DAY)
    second = received(profile, spec, root)  # sha256, rows and totals agree, or this raises
    assert (first.received.sequence, second.received.sequence) == (1, 2)
    assert (second.received.received_at - first.received.received_at).days == 1
    changed = [a != b for a, b in zip(first.rows.to_pylist(), second.rows.to_pylist(), strict=True)]
    assert sum(changed) == 1
    aside.restore(root)
    assert received(profile, spec, root).received.sha256 == first.received.sha256


@pytest.mark.parametrize("kind", ["yuan_as_fen", "control_absent", "bits_flipped", "missing_at_cut_off"])
def test_after_a_corruption_the_corrected_file_is_the_true_one(bank, kind):
    root, profile = bank
    spec = find_extract(profile.extracts, "core.balances")
    true = read_sent(sent_path(spec, root, DAY))
    corrupt(profile.extracts, root, kind, DAY, "core.balances")
    assert "the true file" in deliver_corrected(root, spec, DAY)
    corrected = received(profile, spec, root).received
    assert (corrected.original.read_bytes(), corrected.sequence) == (true.data, 2)
    aside.restore(root)
    assert read_sent(sent_path(spec, root, DAY)) == true


def test_the_same_seed_makes_the_same_correction(bank):
    root, profile = bank
    spec = find_extract(profile.extracts, "core.balances")
    found = []
    for seed in (7, 7, 8):
        deliver_corrected(root, spec, DAY, seed)
        found.append(sent_path(spec, root, DAY).read_bytes())
        aside.restore(root)
    assert found[0] == found[1] != found[2]


def test_a_withheld_delivery_is_missing_and_its_very_files_come_back(bank):
    root, profile = bank
    spec = find_extract(profile.extracts, "wealth.holdings")
    before = read_sent(sent_path(spec, root, DAY))
    assert withhold(root, spec, DAY) == ["wealth/2026-06-15/holdings.parquet", "wealth/2026-06-15/holdings.ctl"]
    assert not sent_path(spec, root, DAY).exists()
    assert not sent_path(spec, root, DAY).with_suffix(".ctl").exists()
    with pytest.raises(CorruptionRefused, match="wealth.holdings of 2026-06-15 is not there to be withheld"):
        withhold(root, spec, DAY)
    release(root, spec, DAY)
    assert read_sent(sent_path(spec, root, DAY)) == before
    with pytest.raises(CorruptionRefused, match="is not withheld"):
        release(root, spec, DAY)


def test_a_withheld_delivery_is_never_written_over_another(bank):
    root, profile = bank
    spec = find_extract(profile.extracts, "core.balances")
    path = sent_path(spec, root, DAY)
    withhold(root, spec, DAY)
    path.write_bytes(b"another")
    with pytest.raises(CorruptionRefused, match="it would be overwritten"):
        release(root, spec, DAY)
    assert path.read_bytes() == b"another"


def test_an_undo_waits_until_a_withheld_corruption_has_come(bank):
    root, profile = bank
    spec = find_extract(profile.extracts, "core.balances")
    before = read_sent(sent_path(spec, root, DAY))
    corrupt(profile.extracts, root, "yuan_as_fen", DAY, "core.balances")
    withhold(root, spec, DAY)
    with pytest.raises(CorruptionRefused, match="is withheld"):
        aside.restore(root)
    release(root, spec, DAY)
    aside.restore(root)
    assert read_sent(sent_path(spec, root, DAY)) == before


def test_another_simulation_forgets_what_was_set_aside_of_the_one_before(tmp_path: Path):
    days = {"initial_delivery_on": date(2026, 5, 31), "last_business_date": date(2026, 6, 2)}
    simulate(tmp_path, Simulation(customers=100, **days), tmp_path / "truth")
    extracts = load_profile(settings_in(tmp_path, source_root=tmp_path)).extracts
    corrupt(extracts, tmp_path, "yuan_as_fen", date(2026, 6, 1), "core.balances")
    withhold(tmp_path, find_extract(extracts, "core.customers"), date(2026, 6, 1))
    simulate(tmp_path, Simulation(customers=110, **days), tmp_path / "truth")
    with pytest.raises(CorruptionRefused, match="there is nothing to undo"):
        aside.restore(tmp_path)
    assert not (tmp_path / aside.WITHHELD).exists()
