"""Dated policy that Python needs: the same files that dbt reads as seeds (`banks/<bank>/policy/*.csv`)."""

from __future__ import annotations

import csv
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from crm_warehouse.errors import SettingsError


def read_policy(bank_folder: Path, name: str) -> list[dict[str, str]]:
    """Rows of one policy file as dictionaries of text."""
    path = bank_folder / "policy" / f"{name}.csv"
    if not path.is_file():
        raise SettingsError(f"{path} is missing: every bank keeps its {name.replace('_', ' ')} there")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def parameter(bank_folder: Path, name: str, as_of: date) -> Decimal:
    """The value of a policy parameter in force on `as_of`: the latest `effective_from` not after it."""
    rows = [
        row
        for row in read_policy(bank_folder, "policy_parameters")
        if row["parameter"] == name and date.fromisoformat(row["effective_from"]) <= as_of
    ]
    if not rows:
        raise SettingsError(f"{bank_folder}/policy/policy_parameters.csv has no {name} in force on {as_of}")
    return Decimal(max(rows, key=lambda row: row["effective_from"])["value"])


def thresholds_on(bank_folder: Path, as_of: date) -> dict[str, Decimal]:
    """Every number of the landing gate in force on `as_of` (`landing_thresholds.csv`): the latest not after it.

    The few thresholds that are dates are read by the rules that ask for them.
    """
    values: dict[str, Decimal] = {}
    for row in sorted(read_policy(bank_folder, "landing_thresholds"), key=lambda row: row["effective_from"]):
        if date.fromisoformat(row["effective_from"]) <= as_of:
            with suppress(InvalidOperation):
                values[row["threshold_id"]] = Decimal(row["value"])
    return values
