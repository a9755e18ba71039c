"""What the report draws of the marts: sums and counts over customers, never a customer."""

from __future__ import annotations

from pathlib import Path

import duckdb

# Amounts of fewer customers than this are not shown: one could be told from them.
FEWEST_SHOWN = 3

# Column of the bridge, sign, English and Chinese name; from opening to closing they add up.
BRIDGE_STEPS = (
    ("net_new_money_strict_amount", 1, "Net new money", "净新增资金"),
    ("market_movement_amount", 1, "Market movement", "市场变动"),
    ("fx_movement_amount", 1, "Exchange rates", "汇率变动"),
    ("income_amount", 1, "Interest and income", "利息与收益"),
    ("fee_amount", -1, "Fees", "费用"),
    ("conversion_amount", 1, "Conversions", "产品转换"),
    ("internal_transfer_amount", 1, "Transfers within the bank", "行内转账"),
    ("correction_amount", 1, "Corrections", "更正"),
    ("residual_amount", 1, "Not explained", "未解释"),
)

_LAST_FLOWS = """
    select flows.*, policy.tier_name_en as en, policy.tier_name_zh as zh
    from marts.fct_tier_flows as flows
    inner join marts.dim_tier_policies as policy
        on policy.policy_version = flows.policy_version and policy.tier_code = flows.tier_code
    where policy.is_active and flows.month = (select max(month) from marts.fct_tier_flows)
    order by policy.tier_rank desc
"""
_MONTHS = "select month, sum(adb_amount) as amount from marts.fct_customer_aum_monthly group by month order by month"
_CURVES = """
    select month, measure, percentile, customers, total_amount, cumulative_share, top20_share, gini
    from marts.fct_value_concentration
    where month = (select max(month) from marts.fct_value_concentration)
    order by measure, percentile
"""
_BRIDGE = f"""
    select month, count(*) as customers, sum(opening_amount) as opening_amount, sum(closing_amount) as closing_amount,
        count(*) filter (where not is_closed) as open_customers,
        {", ".join(f"sum({column}) as {column}" for column, *_ in BRIDGE_STEPS)}
    from marts.fct_aum_bridge
    where month = (select max(month) from marts.fct_aum_bridge)
    group by month
"""
_NEAR = f"""
    select
        near.month, policy.tier_name_en as en, policy.tier_name_zh as zh, policy.threshold_amount, near.side,
        count(*) as customers, sum(near.gap_amount) as gap_amount, sum(near.rating_amount) as rating_amount,
        avg(near.crossing_propensity) as propensity, count(*) >= {FEWEST_SHOWN} as is_shown
    from marts.fct_near_threshold_customers as near
    inner join marts.dim_tier_policies as policy
        on policy.policy_version = near.policy_version and policy.tier_code = near.threshold_tier_code
    where near.month = (select max(month) from marts.fct_near_threshold_customers)
    group by all
    order by policy.threshold_amount desc, near.side desc
"""
_LEDGER = """
    select
        month, ledger_code as code, line_name_en as en, line_name_zh as zh, currency_code as currency,
        count(*) as cells, count(*) filter (where is_reconciled) as tied, sum(warehouse_amount) as warehouse_amount,
        sum(unallocated_amount) as unallocated_amount, sum(ledger_amount) as ledger_amount,
        max(abs(difference_amount)) as largest_difference
    from marts.fct_ledger_reconciliation
    where month = (select max(month) from marts.fct_ledger_reconciliation)
    group by all
    order by code, currency
"""
_LEDGER_MONTHS = """
    select month, count(*) as cells, count(*) filter (where is_reconciled) as tied,
        max(abs(difference_amount)) as largest_difference
    from marts.fct_ledger_reconciliation group by month order by month
"""


def read_figures(candidate: Path) -> dict:
    """The report's figures of the last month each mart has, from the file the run built. A dark mart gives none."""
    with duckdb.connect(str(candidate), read_only=True) as connection:

        def rows(query: str) -> list[dict]:
            found = connection.execute(query)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

        return {
            "flows": rows(_LAST_FLOWS),
            "months": rows(_MONTHS),
            "curves": _by_measure(rows(_CURVES)),
            "bridge": _steps(rows(_BRIDGE)),
            "near": rows(_NEAR),
            "ledger": rows(_LEDGER),
            "ledger_months": rows(_LEDGER_MONTHS),
        }


def _by_measure(rows: list[dict]) -> dict[str, list[dict]]:
    curves: dict[str, list[dict]] = {}
    for row in rows:
        curves.setdefault(row["measure"], []).append(row)
    return curves


def _steps(rows: list[dict]) -> dict | None:
    """The bridge as steps, each with where it begins and ends."""
    if not rows:
        return None
    row = rows[0]
    level, steps = row["opening_amount"], []
    for column, sign, en, zh in BRIDGE_STEPS:
        amount = sign * row[column]
        steps.append({"en": en, "zh": zh, "amount": amount, "from": level, "to": level + amount})
        level += amount
    return {**row, "steps": steps}
