"""The ladder that is asked about: what is taken, what is set anew, and what is refused in one sentence."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from conftest import settings_in

from crm_warehouse.errors import SettingsError
from crm_warehouse.profile import Profile, load_profile
from crm_warehouse.what_if.ladders import active_ladder, candidate_ladder

MONTH = date(2026, 5, 1)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return load_profile(settings_in(tmp_path))


@pytest.fixture
def folder(profile: Profile, tmp_path: Path) -> Path:
    """The bank's own ladders as somebody's folder, without weights."""
    for name in ("tier_policies", "tier_thresholds"):
        shutil.copy(profile.folder / "policy" / f"{name}.csv", tmp_path)
    return tmp_path


def change(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / f"{name}.csv"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def thresholds(ladder) -> dict[str, str]:
    return {code: tier["threshold_amount"] for code, tier in ladder.tiers_on(MONTH).items()}


@pytest.mark.parametrize("amount", ["8000000", "8,000,000", "800万"])
def test_a_threshold_is_set_on_top_of_the_active_ladder(profile: Profile, amount: str):
    ladder = candidate_ladder(profile, None, [f"private={amount}"])
    assert thresholds(ladder) == {**thresholds(active_ladder(profile)), "private": "8000000"}
    assert thresholds(active_ladder(profile))["private"] == "6000000"
    assert ladder.label == "default private=8000000"


def test_a_preset_is_in_force_as_if_it_were_the_active_one(profile: Profile):
    ladder = candidate_ladder(profile, "ccb", ["gold=60000"])
    assert ladder.policy_on(MONTH)["policy_version"] == "ccb-2024-01"
    assert list(thresholds(ladder)) == ["private", "diamond", "wealth", "platinum", "gold", "mass"]
    assert thresholds(ladder)["gold"] == "60000"


def test_a_folder_needs_no_weights_and_is_written_as_seeds(profile: Profile, folder: Path, tmp_path: Path):
    change(folder, "tier_thresholds", ",6,6000000,", ",6,7000000,")
    ladder = candidate_ladder(profile, str(folder), [])
    assert thresholds(ladder)["private"] == "7000000"
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    ladder.write_seeds(seeds)
    assert sorted(file.name for file in seeds.iterdir()) == [
        "tier_asset_weights.csv",
        "tier_policies.csv",
        "tier_thresholds.csv",
    ]
    assert candidate_ladder(profile, str(seeds), []).rows == ladder.rows


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        (None, [], "say what is to differ"),
        ("ccc", [], "did you mean ccb?"),
        (None, ["privat=8000000"], "did you mean private?"),
        (None, ["private"], "write an amount"),
        (None, ["private=NaN"], "write an amount"),
        (None, ["private=-1"], "write an amount"),
        (None, ["private=8000000.001"], "write an amount"),
        (None, ["private=1e99"], "write an amount"),
        (None, ["private=100"], "a higher rank has a higher threshold_amount"),
        (None, ["mass=1"], "the lowest tier begins at 0"),
    ],
)
def test_what_is_no_ladder_is_refused_in_one_sentence(profile: Profile, name: str | None, settings: list, said: str):
    with pytest.raises(SettingsError, match=said) as refused:
        candidate_ladder(profile, name, settings)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("tier_policies", "true,total", "true,totel", "line 2: rating_base is 'totel'.* did you mean total"),
        ("tier_policies", "default,default-2024-01,Default ladder,默认等级,true", "default,default-2024-01,x,x,false", "no policy has"),
        ("tier_policies", "2024-01-01,,", "2024-01-15,,", "first of a month"),
        ("tier_thresholds", ",6,6000000,", ",7,6000000,", "without a gap"),
        ("tier_thresholds", ",6,6000000,", ",6,NaN,", "threshold_amount"),
        ("tier_thresholds", "tier_rank", "tier_rang", "the header lacks tier_rank"),
    ],
)  # fmt: skip
def test_a_bad_folder_is_refused_by_the_checks_of_a_banks_own_policy(
    profile: Profile, folder: Path, file: str, old: str, new: str, said: str
):
    change(folder, file, old, new)
    with pytest.raises(SettingsError, match=said) as refused:
        candidate_ladder(profile, str(folder), [])
    assert str(folder / f"{file}.csv") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_ladder_is_not_in_force_before_it_begins(profile: Profile):
    ladder = candidate_ladder(profile, "cmb", [])
    assert ladder.policy_on(date(2023, 12, 1)) is None
    assert ladder.policy_on(date(2024, 1, 1))["policy_id"] == "cmb"
