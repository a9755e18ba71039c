"""Rules of the landing gate: is what came in what was sent, and can it be used?"""

from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing import bank_checks, structure


def build_rules(profile: Profile) -> list[Rule]:
    """Every landing rule of a bank: those that follow from its profile, and those the bank adds."""
    rules = [rule for extract in profile.extracts for rule in structure.build_rules(profile, extract)]
    return rules + bank_checks.build_rules(profile)
