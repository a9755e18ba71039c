"""Money by use: it says the same as the asset bridge."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

FLOWS = "fct_money_flows"


def build_rules(coverage: dict[str, str]) -> Iterator[Rule]:
    """Rules of this mart, where the bank feeds it."""
    if coverage.get(FLOWS) == "dark":
        return
    yield mart_rule(
        "net_is_in_less_out",
        FLOWS,
        """checked.net_flow_amount <> checked.inflow_amount - checked.outflow_amount
            or checked.inflow_amount < 0 or checked.outflow_amount < 0 or checked.transactions < 1""",
        name_en="Net is in less out, and neither is negative",
        name_zh="净流入等于流入减流出，两者均不为负",
        reason="Both ways must be seen to judge what is left.",
        dimension="consistency",
    )
    for flow_class, amount in (("income", "income_amount"), ("fee", "-fee_amount")):
        sums = f"""select sum(flows.net_flow_amount) as amount, count(*) as uses from marts.{FLOWS} as flows
            where flows.customer_key = checked.customer_key and flows.month = checked.month and flows.flow_class = '{flow_class}'"""
        yield mart_rule(
            f"{flow_class}_is_that_of_flows",
            "fct_aum_bridge",
            f"""exists (
                select 1 from ({sums}) as summed
                where abs(coalesce(summed.amount, 0) - ({amount.replace("income", "checked.income").replace("-fee", "-checked.fee")}))
                    > 0.01 * (1 + summed.uses)
            )""",
            name_en=f"{flow_class.capitalize()} of the bridge is what flowed as {flow_class}, but for cents of rounding",
            name_zh=f"资产桥的{'收入' if flow_class == 'income' else '费用'}与资金流一致（四舍五入的分除外）",
            reason="Two marts that tell of one flow must tell the same.",
            dimension="consistency",
        )
