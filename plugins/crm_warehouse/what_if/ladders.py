"""The ladder that is asked about: a preset, a folder, or the active one with thresholds set anew; checked as a bank's own."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from crm_warehouse.errors import SettingsError
from crm_warehouse.onboarding.ladders import POLICIES, THRESHOLDS
from crm_warehouse.onboarding.policies import columns_of, read_ladder, refuse_bad_ladder
from crm_warehouse.profile import Profile
from crm_warehouse.profile_checks import did_you_mean

Row = dict[str, str]


@dataclass(frozen=True)
class Ladder:
    """A ladder as rows of the three policy files; `place` says where they are from, `label` what was asked for."""

    label: str
    place: str
    rows: dict[str, list[Row]]

    def policy_on(self, month: date) -> Row | None:
        """The version in force in a month."""
        day = month.isoformat()
        versions = [row for row in self.rows[POLICIES] if row["is_active"] == "true"]
        return next((v for v in versions if v["effective_from"] <= day < (v["effective_to"] or "9999")), None)

    def tiers_on(self, month: date) -> dict[str, Row]:
        """The tiers in force in a month by code, the highest first."""
        version = self.policy_on(month)["policy_version"]
        tiers = [row for row in self.rows[THRESHOLDS] if row["policy_version"] == version]
        return {tier["tier_code"]: tier for tier in sorted(tiers, key=lambda tier: -int(tier["tier_rank"]))}

    def write_seeds(self, folder: Path) -> None:
        """Write the three files, as dbt reads a bank's own."""
        for name, rows in self.rows.items():
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns_of(name), extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)


def active_ladder(profile: Profile) -> Ladder:
    rows = read_ladder(profile.folder / "policy")
    return _of_policy(profile, rows, next((r["policy_id"] for r in rows[POLICIES] if r["is_active"] == "true"), ""))


def _of_policy(profile: Profile, rows: dict[str, list[Row]], policy_id: str) -> Ladder:
    own = {name: [dict(row) for row in found if row["policy_id"] == policy_id] for name, found in rows.items()}
    for row in own[POLICIES]:
        row["is_active"] = "true"
    return Ladder(policy_id, str(profile.folder / "policy"), own)


def candidate_ladder(profile: Profile, name: str | None, thresholds: list[str]) -> Ladder:
    """The ladder asked for: a preset of the bank or a folder, else the active one, with thresholds set anew.

    Raises SettingsError in one sentence, by the checks that a bank's own policy must pass.
    """
    if not name and not thresholds:
        raise SettingsError("say what is to differ: --ladder with a preset or a folder, or --threshold CODE=AMOUNT")
    if not name:
        ladder = active_ladder(profile)
    elif Path(name).is_dir():
        ladder = Ladder(Path(name).resolve().name, name, read_ladder(Path(name)))
    else:
        rows = read_ladder(profile.folder / "policy")
        presets = list(dict.fromkeys(row["policy_id"] for row in rows[POLICIES]))
        if name not in presets:
            raise SettingsError(
                f"no ladder {name!r}: give a folder with {POLICIES}.csv and {THRESHOLDS}.csv, or one of"
                f" {', '.join(presets)}{did_you_mean(name, presets)}"
            )
        ladder = _of_policy(profile, rows, name)
    changes = [_set_threshold(ladder, setting) for setting in thresholds]
    place = f"with {' '.join(changes)}: {ladder.place}" if changes else ladder.place
    refuse_bad_ladder(ladder.rows, place, profile.initial_delivery_on)
    return Ladder(" ".join([ladder.label, *changes]), ladder.place, ladder.rows)


def _set_threshold(ladder: Ladder, setting: str) -> str:
    """Set a tier's threshold in every version; 800万 is eight million. Returns the setting with its number in full."""
    code, _, amount = setting.partition("=")
    tiers = [row for row in ladder.rows[THRESHOLDS] if row["tier_code"] == code]
    if not tiers:
        codes = list(dict.fromkeys(row["tier_code"] for row in ladder.rows[THRESHOLDS]))
        raise SettingsError(
            f"--threshold {setting}: no tier {code!r}: use one of {', '.join(codes)}{did_you_mean(code, codes)}"
        )
    try:
        number = Decimal(amount.removesuffix("万").replace(",", "")) * (10_000 if amount.endswith("万") else 1)
        sound = number.is_finite() and 0 <= number < 10**15 and number == round(number, 2)
    except InvalidOperation:
        sound = False
    if not sound:
        raise SettingsError(f"--threshold {setting}: write an amount to the cent, as {code}=8000000 or {code}=800万")
    for row in tiers:
        row["threshold_amount"] = f"{number:f}"
    return f"{code}={number:f}"
