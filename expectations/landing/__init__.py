"""Rules of the landing gate: is what came in what was sent, and can it be used?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from crm_warehouse.errors import SettingsError
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import (
    arrival,
    bank_checks,
    codes,
    drift,
    erased,
    history,
    identity,
    moments,
    movements,
    ranges,
    reference,
    siblings,
    structure,
    texts,
)

# What an extract may be expected to do (`expect` in extracts.yml), by name: (profile, extract, what is written) -> rules.
Principle = Callable[[Profile, Extract, Any], Iterator[Rule]]
WITHIN_A_DATE: dict[str, Principle] = {
    **moments.PRINCIPLES,
    **ranges.PRINCIPLES,
    **texts.PRINCIPLES,
    **identity.PRINCIPLES,
    **codes.PRINCIPLES,
    **siblings.PRINCIPLES,
    **reference.PRINCIPLES,
}
LOOKING_BACK: dict[str, Principle] = {
    "arrives": arrival.arrives,
    "as_learned": drift.as_learned,
    "changes_rarely": history.changes_rarely,
    "comes_once": history.comes_once,
    "does_not_rise": history.does_not_rise,
    "grows_within_year": history.grows_within_year,
    "keys_stay": history.keys_stay,
    "moves_within": history.moves_within,
    "never_changes": history.never_changes,
    "reverses": movements.reverses,
    "rolls_forward": movements.rolls_forward,
    "stays_once_set": history.stays_once_set,
    "ties_to_ledger": movements.ties_to_ledger,
}
PRINCIPLES = WITHIN_A_DATE | LOOKING_BACK


def build_rules(profile: Profile) -> list[Rule]:
    """Every landing rule of a bank: those that follow from its profile, and those the bank adds."""
    rules = [
        erased.spare(profile, extract, rule) for extract in profile.extracts for rule in _rules_of(profile, extract)
    ]
    return rules + bank_checks.build_rules(profile)


def _rules_of(profile: Profile, extract: Extract) -> Iterator[Rule]:
    yield from structure.build_rules(profile, extract)
    yield from texts.build_rules(profile, extract)
    for name, written in extract.expect.items():
        if name not in PRINCIPLES:
            raise SettingsError(
                f"{profile.folder / 'extracts.yml'}: {extract.source}.{extract.name} expects {name!r};"
                f" known are {', '.join(sorted(PRINCIPLES))}"
            )
        try:
            yield from PRINCIPLES[name](profile, extract, written)
        except (KeyError, TypeError, AttributeError) as problem:
            raise SettingsError(
                f"{profile.folder / 'extracts.yml'}: {extract.source}.{extract.name} expects {name}, but what is written"
                f" there lacks {problem} (see CONTRIBUTING, add a rule)"
            ) from None
