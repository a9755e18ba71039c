"""Thresholds of the landing gate: dated policy (`banks/<bank>/policy/landing_thresholds.csv`), read as of each row's date."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from crm_warehouse.errors import SettingsError
from crm_warehouse.policy import read_policy
from crm_warehouse.profile import Profile

POLICY = "landing_thresholds"


def number(profile: Profile, threshold_id: str, as_of: str = "checked.business_date") -> str:
    """SQL of a number's value in force on `as_of`. SettingsError when it is not there, or not from the first date on."""
    return _in_force(profile, threshold_id, as_of, _number)


def day(profile: Profile, threshold_id: str, as_of: str = "checked.business_date") -> str:
    """SQL of a date's value in force on `as_of`."""
    return _in_force(profile, threshold_id, as_of, _day)


def bounds(profile: Profile, name: str) -> list[tuple[str, str]]:
    """What is out of bounds: (operator, SQL) for those of `<name>_min` and `<name>_max` that the policy has."""
    known = known_ids(profile)
    found = [
        (operator, number(profile, f"{name}_{end}"))
        for operator, end in (("<", "min"), (">", "max"))
        if f"{name}_{end}" in known
    ]
    if not found:
        raise SettingsError(f"{_file(profile)} has neither {name}_min nor {name}_max, which extracts.yml asks for")
    return found


def known_ids(profile: Profile) -> set[str]:
    return {row["threshold_id"] for row in read_policy(profile.folder, POLICY)}


def _in_force(profile: Profile, threshold_id: str, as_of: str, written) -> str:
    rows = [row for row in read_policy(profile.folder, POLICY) if row["threshold_id"] == threshold_id]
    try:
        dated = sorted(((date.fromisoformat(r["effective_from"]), written(r["value"])) for r in rows), reverse=True)
    except (ValueError, InvalidOperation):
        raise SettingsError(f"{_file(profile)}: {threshold_id} has a value or date that cannot be read") from None
    if not dated or dated[-1][0] > profile.initial_delivery_on:
        raise SettingsError(f"{_file(profile)} has no {threshold_id} in force from {profile.initial_delivery_on} on")
    if len(dated) == 1:
        return dated[0][1]
    cases = " ".join(f"when {as_of} >= date '{since}' then {value}" for since, value in dated)
    return f"(case {cases} end)"


def _number(text: str) -> str:
    value = Decimal(text)
    if not value.is_finite():
        raise InvalidOperation
    return f"{value:f}"


def _day(text: str) -> str:
    return f"date '{date.fromisoformat(text)}'"


def _file(profile: Profile) -> str:
    return f"{profile.folder}/policy/{POLICY}.csv"
