"""How a mart rule is made: a predicate that marks bad rows of one mart."""

from __future__ import annotations

import great_expectations.expectations as gxe

from crm_warehouse.quality.rule import Rule

STAYS_LIVE = "The last published version stays live; read the run's log, mend the cause, run again."
SHOWN = "Published all the same; find out why before the figures are used."


def mart_rule(
    id: str,
    table: str,
    bad_rows: str,
    *,
    name_en: str,
    name_zh: str,
    reason: str,
    severity: str = "block",
    dimension: str = "accuracy",
    owner: str = "customer-analytics",
    on_failure: str | None = None,
    listing: str | None = None,
    may_be_waived: bool = False,
    principle: str = "BCBS 239 P3 accuracy and integrity; 数据治理指引 第四章 数据质量控制",
) -> Rule:
    """A rule over `marts.<table>`, whose rows are called `checked` in the predicate `bad_rows`.

    A row of which the predicate cannot tell (null) is bad. `listing` is a query of one sentence a row, told when it fails.
    """
    bad_rows = f"coalesce(({bad_rows}), true)"
    return Rule(
        id=f"marts.{table}.{id}",
        table=table,
        name_en=name_en,
        name_zh=name_zh,
        reason=reason,
        severity=severity,
        dimension=dimension,
        owner=owner,
        on_failure=on_failure or (STAYS_LIVE if severity == "block" else SHOWN),
        principle=principle,
        expectation=gxe.UnexpectedRowsExpectation(
            description=name_en,
            unexpected_rows_query=f"select 1 as bad from (select * from {{batch}}) as checked where {bad_rows}",
        ),
        bad_rows=bad_rows,
        listing=listing,
        may_be_waived=may_be_waived,
    )
