"""One rule of a gate: what it checks, why, whose it is, and what a failure does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

Severity = Literal["block", "quarantine", "warn"]


@dataclass(frozen=True)
class Rule:
    """A rule over one table. `bad_rows` is its predicate in SQL: it counts, and names the rows to quarantine.

    `missing` is a query of what should be there, one row each: it counts where no row is there to be bad. `listing` is
    a query of what to name when the rule fails: ids of accounts and the like, never persons.

    `may_be_waived`: what it finds may be right after all, and no figure is wrong for it; a waiver may let it pass.
    `severity`: `block` stops the run, `quarantine` sets the rows aside, `warn` is shown. `dimension` and
    `principle` are those of BCBS 239 and 银行业金融机构数据治理指引.
    """

    id: str
    table: str
    name_en: str
    name_zh: str
    reason: str
    severity: Severity
    dimension: str
    owner: str
    on_failure: str
    principle: str
    expectation: Expectation
    bad_rows: str | None = None
    missing: str | None = None
    listing: str | None = None
    may_be_waived: bool = False

    def describe(self) -> dict[str, str | bool]:
        """What the catalogue and the report show: everything but the expectation itself."""
        shown = (
            "id",
            "table",
            "name_en",
            "name_zh",
            "reason",
            "severity",
            "dimension",
            "owner",
            "on_failure",
            "principle",
            "may_be_waived",
        )
        return {name: getattr(self, name) for name in shown}
