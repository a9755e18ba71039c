"""Rules of the landing gate: is what came in what was sent, and can it be used?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from crm_warehouse.errors import SettingsError
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import bank_checks, structure

# What an extract may be expected to do (`expect` in extracts.yml), by name: (profile, extract, what is written) -> rules.
Principle = Callable[[Profile, Extract, Any], Iterator[Rule]]
PRINCIPLES: dict[str, Principle] = {}


def build_rules(profile: Profile) -> list[Rule]:
    """Every landing rule of a bank: those that follow from its profile, and those the bank adds."""
    rules = [rule for extract in profile.extracts for rule in _rules_of(profile, extract)]
    return rules + bank_checks.build_rules(profile)


def _rules_of(profile: Profile, extract: Extract) -> Iterator[Rule]:
    yield from structure.build_rules(profile, extract)
    for name, written in extract.expect.items():
        if name not in PRINCIPLES:
            raise SettingsError(
                f"{profile.folder / 'extracts.yml'}: {extract.source}.{extract.name} expects {name!r};"
                f" known are {', '.join(sorted(PRINCIPLES))}"
            )
        yield from PRINCIPLES[name](profile, extract, written)
