"""Rules a bank adds in its profile (`banks/<bank>/checks.yml`), in SQL over the landing gate's tables.

Each has either `bad_rows` (a predicate over `checked`, the rule's table) or `measure` (a query of one value) with the
value `expected`: a known fact of the delivery.
"""

from __future__ import annotations

import great_expectations.expectations as gxe
import yaml

from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule


def build_rules(profile: Profile) -> list[Rule]:
    """The bank's own rules; none when it has no checks.yml."""
    return [_rule(check) for check in read_checks(profile)]


def read_checks(profile: Profile) -> list[dict]:
    path = profile.folder / "checks.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["checks"] if path.is_file() else []


def _rule(check: dict) -> Rule:
    if check.get("measure"):
        query = (
            f"select measured.n from ({check['measure']}) as measured(n) cross join (select count(*) from (select * from {{batch}})) as _"
            f" where cast(measured.n as varchar) is distinct from '{check['expected']}'"
        )
    else:
        query = f"select 1 as bad from (select * from {{batch}}) as checked where {check['bad_rows']}"
    return Rule(
        id=f"landing.{check['table']}.{check['id']}",
        table=check["table"],
        name_en=check["name_en"],
        name_zh=check["name_zh"],
        reason=check["reason"],
        severity=check["severity"],
        dimension=check["dimension"],
        owner=check["owner"],
        on_failure=check["on_failure"],
        principle=check["principle"],
        expectation=gxe.UnexpectedRowsExpectation(description=check["name_en"], unexpected_rows_query=query),
        bad_rows=check.get("bad_rows"),
    )
