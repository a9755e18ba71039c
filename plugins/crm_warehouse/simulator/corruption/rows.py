"""Whole rows, in any table: sent twice, left out, in another order, a branch too few or alone, columns out of step."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.edits import all_equal, drop, edit, repeat, swap
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT, Case, Kind

BRANCHED = (
    "core.customers",
    "core.accounts",
    "crm.relationship_managers",
    "finance.ledger_balances",
    "reference.branches",
)
FULL = ("core.accounts", "core.account_holders", "core.balances", "core.transactions", "core.loans", "core.cards",
        "wealth.products", "wealth.holdings", "wealth.navs", "crm.relationship_managers", "crm.rm_assignments",
        "crm.contacts", "crm.service_requests", "crm.surveys", "crm.campaign_members", "finance.ledger_balances",
        "finance.ftp_rates", "reference.fx_rates", "reference.branches", "reference.calendar")  # fmt: skip
PAIRS = {
    "core.loans": ("principal_amount", "outstanding_amount"), "core.customers": ("birth_date", "onboarded_on"),
    "core.accounts": ("customer_id", "product_id"), "core.cards": ("credit_limit_amount", "outstanding_amount"),
    "core.fees": ("list_amount", "charged_amount"), "core.transactions": ("transaction_type", "channel"),
    "wealth.holdings": ("market_value_amount", "cost_amount"), "wealth.orders": ("units", "amount"),
    "crm.rm_assignments": ("customer_id", "rm_id"), "crm.programmes": ("entitled_units", "used_units"),
    "crm.contacts": ("channel", "purpose"), "crm.service_requests": ("opened_at", "acknowledged_at"),
    "crm.campaigns": ("starts_on", "ends_on"), "crm.surveys": ("sent_at", "answered_at"),
    "finance.unit_costs": ("full_unit_cost", "avoidable_unit_cost"),
}  # fmt: skip
SHIFTED = {
    "core.balances": "balance_amount", "core.customers": "customer_name", "core.accounts": "customer_id",
    "core.transactions": "account_id", "core.loans": "customer_id", "core.cards": "customer_id",
    "wealth.holdings": "market_value_amount", "wealth.navs": "nav", "wealth.orders": "customer_id",
    "crm.rm_assignments": "rm_id", "crm.contacts": "customer_id", "crm.surveys": "score",
    "finance.ledger_balances": "balance_amount", "reference.fx_rates": "cny_per_unit",
}  # fmt: skip


def branch_of(rows: pd.DataFrame, case: Case) -> np.ndarray:
    """The rows of one branch, drawn among those there are."""
    return (rows["branch_id"] == case.random.choice(sorted(set(rows["branch_id"])))).to_numpy(dtype=bool)


def one_branch_only(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    only = rows[branch_of(rows, case)].reset_index(drop=True)
    return only if len(only) < len(rows) else case.refuse("it has one branch only")


def other_order(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    return rows.iloc[::-1].reset_index(drop=True) if len(rows) > 1 else case.refuse("it has one row or none")


def out_of_step(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    column = SHIFTED[case.table]
    moved = pd.Series(np.roll(rows[column].to_numpy(dtype=object), 1), dtype=str)
    return rows.assign(**{column: moved}) if moved.nunique() > 1 else case.refuse("it has one value or none")


# fmt: off
KINDS = (
    Kind("duplicated_rows", EVERY_EXTRACT, "Rows a second time, all values the same", "整行重复", "both", "block",
         repeat()),
    Kind("rows_vanish", FULL, "Rows that were there are left out", "部分行消失", "both", "block", drop(),
         magnitude=0.05),
    Kind("rows_in_another_order", EVERY_EXTRACT, "The same rows, the last first", "行顺序倒置", "source", "accept",
         other_order, reach="all"),
    Kind("file_of_another_branch", BRANCHED[:-1], "One branch's rows under the name of the whole bank's file",
         "全行文件中只有一家支行的数据", "both", "block", one_branch_only, reach="all"),
    Kind("branch_missing", BRANCHED, "All rows of one branch are left out", "缺少一家支行的全部数据", "source",
         "block", drop(branch_of), reach="all"),
    Kind("branch_unknown", BRANCHED[:-1], "Rows of a branch that does not exist", "支行编号不存在", "both",
         "quarantine", edit("branch_id", "B999")),
    Kind("branches_all_one", BRANCHED[:-1], "Every row has the same branch", "所有行归于同一支行", "source", "block",
         all_equal("branch_id", min), reach="all"),
    Kind("values_of_two_columns_swapped", tuple(PAIRS), "The values of two columns exchanged, the header not",
         "两列数据互换而表头未变", "source", "block", swap(PAIRS), reach="all"),
    Kind("column_shifted_a_row", tuple(SHIFTED), "One column's values each a row too low: same sum, wrong owner",
         "某列整体下移一行，总和不变但归属错误", "source", "block", out_of_step, reach="all"),
)
