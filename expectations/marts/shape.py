"""Every mart: it has rows, exactly the columns of its contract, and customers only as tokens."""

from __future__ import annotations

from collections.abc import Iterator

import great_expectations.expectations as gxe

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import STAYS_LIVE, mart_rule


def build_rules(name: str, node: dict, coverage: str) -> Iterator[Rule]:
    """Rules of one mart, from its contract. One that may be empty (`meta.may_be_empty`) has a rule for what it must hold."""
    if coverage != "dark" and "may_be_empty" not in node["config"]["meta"]:
        yield Rule(
            id=f"marts.{name}.rows_present",
            table=name,
            name_en="The mart has rows",
            name_zh="数据集市不为空",
            reason="An empty mart reads as zero customers and zero money.",
            severity="block",
            dimension="completeness",
            owner="data-engineering",
            on_failure=STAYS_LIVE,
            principle="BCBS 239 P4 completeness",
            expectation=gxe.ExpectTableRowCountToBeBetween(min_value=1),
        )
    yield Rule(
        id=f"marts.{name}.contract_columns",
        table=name,
        name_en="The columns are exactly those of the contract",
        name_zh="字段与契约完全一致",
        reason="A renamed or missing column breaks dashboards; an extra one may carry what BI must not see.",
        severity="block",
        dimension="validity",
        owner="data-engineering",
        on_failure=STAYS_LIVE,
        principle="BCBS 239 P2 data architecture; PIPL Art. 6 least data",
        expectation=gxe.ExpectTableColumnsToMatchSet(column_set=list(node["columns"]), exact_match=True),
    )
    if "customer_key" in node["columns"]:
        # A mart may show what is nobody's, where its contract says so.
        nobody = node["columns"]["customer_key"]["config"]["meta"].get("may_be_nobody")
        yield mart_rule(
            "customer_is_token",
            name,
            f"{'checked.customer_key is not null and ' if nobody else ''}"
            "(not regexp_full_match(checked.customer_key, '[0-9a-f]+') or length(checked.customer_key) <> 32)",
            name_en="A customer appears only as a keyed token",
            name_zh="客户仅以令牌出现",
            reason="An id in place of a token would tell BI who the customer is.",
            dimension="validity",
            owner="privacy-officer",
            principle="PIPL Art. 51; JR/T 0171-2020 C2",
        )
