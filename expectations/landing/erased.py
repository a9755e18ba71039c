"""What is not asked of an erased customer: the row that described one has nothing left to be right or wrong."""

from __future__ import annotations

from dataclasses import replace

from crm_warehouse.privacy.redaction import PREFIX
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing.structure import row_expectation


def spare(profile: Profile, extract: Extract, rule: Rule) -> Rule:
    """The rule, not asked of rows of erased customers where an extract names customers and has personal columns."""
    naming = [column.name for column in extract.columns if profile.names_customer(extract, column)]
    if not naming or not any(column.personal for column in extract.columns):
        return rule
    if rule.bad_rows is None or rule.expectation != row_expectation(extract.table, rule.name_en, rule.bad_rows):
        return rule  # of the table, not of a row
    erased = " or ".join(f"""coalesce(starts_with(checked."{name}", '{PREFIX}'), false)""" for name in naming)
    bad_rows = f"({rule.bad_rows}) and not ({erased})"
    return replace(rule, bad_rows=bad_rows, expectation=row_expectation(extract.table, rule.name_en, bad_rows))
