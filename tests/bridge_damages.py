"""What is damaged in the asset bridge, and the rule that must find it: (rule, SQL, rows found)."""

BRIDGE, CORRECTIONS, AUM = "fct_aum_bridge", "fct_bridge_corrections", "fct_customer_aum_monthly"
LAST, MID = "month = date '2026-06-01'", "month = date '2026-03-01'"
KEPT = f"{MID} and closing_amount > 0 and opening_amount > 0"


def one(table: str, change: str, where: str = "true") -> str:
    """SQL that changes one row."""
    return f"update {table} set {change} where rowid = (select min(rowid) from {table} where {where})"


def corrected(reason: str, amount: str, is_in_bridge: str, customer: str = "customer_key") -> str:
    """SQL that adds a correction to the bridge of one customer in one month, or beside it."""
    return (
        f"insert into {CORRECTIONS} select month, {customer}, '{reason}', 'CNY', 1, {amount}, {amount}, {is_in_bridge}"
        f" from {BRIDGE} where {KEPT} order by customer_key limit 1"
    )


FLOWS = "fct_money_flows"

BRIDGE_DAMAGES = {
    "a net that is not in less out": (
        f"{FLOWS}.net_is_in_less_out",
        one(FLOWS, "net_flow_amount = net_flow_amount + 0.01"),
        1,
    ),
    "an outflow below nothing": (
        f"{FLOWS}.net_is_in_less_out",
        one(FLOWS, "outflow_amount = -1, net_flow_amount = inflow_amount + 1"),
        1,
    ),
    "interest that did not flow": (
        f"{BRIDGE}.income_is_that_of_flows",
        one(
            FLOWS,
            "inflow_amount = inflow_amount + 1, net_flow_amount = net_flow_amount + 1",
            f"{MID} and flow_class = 'income'",
        ),
        1,
    ),
    "a fee that is left out": (
        f"{BRIDGE}.fee_is_that_of_flows",
        f"delete from {FLOWS} where rowid = (select min(rowid) from {FLOWS} where {MID} and flow_class = 'fee' and outflow_amount > 1)",
        1,
    ),
    "a cent that nothing explains": (f"{BRIDGE}.adds_up", one(BRIDGE, "residual_amount = residual_amount + 0.01"), 1),
    "a bridge without new money": (f"{BRIDGE}.adds_up", one(BRIDGE, "net_new_money_strict_amount = null"), 1),
    "income that is no new money": (
        f"{BRIDGE}.net_new_money_relates",
        one(BRIDGE, "net_new_money_with_income_amount = net_new_money_strict_amount", "income_amount <> 0"),
        1,
    ),
    "fees added": (
        f"{BRIDGE}.net_new_money_relates",
        one(BRIDGE, "net_new_fee_generating_amount = net_new_money_with_income_amount + fee_amount", "fee_amount > 0"),
        1,
    ),
    "won by converting": (f"{BRIDGE}.conversions_are_zero", one(BRIDGE, "conversion_amount = 0.01"), 1),
    "transferred from nowhere": (
        f"{BRIDGE}.transfers_are_zero_over_the_bank",
        one(BRIDGE, "internal_transfer_amount = internal_transfer_amount + 5", MID),
        None,
    ),
    "a month that opens with more": (
        f"{BRIDGE}.opens_where_it_closed",
        one(BRIDGE, "opening_amount = opening_amount + 1", KEPT),
        1,
    ),
    "a month that is not gone on with": (
        f"{BRIDGE}.opens_where_it_closed",
        f"delete from {BRIDGE} where {LAST} and opening_amount > 0"
        f" and customer_key = (select min(customer_key) from {BRIDGE} where {LAST} and opening_amount > 0)",
        1,
    ),
    "a closing of its own": (
        f"{BRIDGE}.closes_with_published_assets",
        one(BRIDGE, "closing_amount = closing_amount + 0.01", LAST),
        1,
    ),
    "an opening of its own": (
        f"{BRIDGE}.closes_with_published_assets",
        one(BRIDGE, "opening_amount = opening_amount + 0.01", "month = (select min(month) from fct_aum_bridge)"),
        1,
    ),
    "assets without a bridge": (f"{AUM}.assets_have_their_bridge", f"delete from {BRIDGE} where {MID}", None),
    "open and called closed": (
        f"{BRIDGE}.closed_by_policy",
        one(BRIDGE, "residual_amount = 1.01", f"{LAST} and greatest(opening_amount, closing_amount) < 10000"),
        1,
    ),
    "neither open nor closed": (f"{BRIDGE}.closed_by_policy", one(BRIDGE, "is_closed = null", MID), 1),
    "one that stays open": (f"{BRIDGE}.few_stay_open", one(BRIDGE, "is_closed = false"), 1),
    "a correction without a reason": (
        f"{BRIDGE}.corrections_add_up",
        one(BRIDGE, "correction_amount = correction_amount + 0.02", MID),
        1,
    ),
    "a reason more": (f"{BRIDGE}.corrections_add_up", corrected("overdraft", "7", "true"), 1),
    "a transaction of nobody in a bridge": (
        f"{CORRECTIONS}.reason_says_where_it_counts",
        corrected("unknown_account", "7", "true", "null"),
        1,
    ),
    "an overdraft beside the bridge": (
        f"{CORRECTIONS}.reason_says_where_it_counts",
        corrected("overdraft", "7", "false"),
        1,
    ),
    "a correction of nobody": (
        f"{CORRECTIONS}.reason_says_where_it_counts",
        corrected("overdraft", "7", "true", "null"),
        1,
    ),
    "a correction of unknown size": (
        f"{CORRECTIONS}.reason_says_where_it_counts",
        corrected("overdraft", "null", "true"),
        1,
    ),
    "a correction of another build": (
        f"{CORRECTIONS}.correction_has_its_bridge",
        corrected("overdraft", "0", "true", f"'{'0' * 32}'"),
        1,
    ),
    "a kind that policy does not name": (
        f"{CORRECTIONS}.nothing_unclassified",
        corrected("unclassified", "0", "true"),
        1,
    ),
}
