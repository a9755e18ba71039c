"""Transactions and fees: what moved, when, in which direction, and what was charged for it."""

from __future__ import annotations

import pandas as pd

from crm_warehouse.simulator.corruption.edits import drop, edit, new_ids, on, repeat, scale
from crm_warehouse.simulator.corruption.kind import Case, Kind
from crm_warehouse.simulator.corruption.text_values import moved_days, put, scaled

TIMES = {
    "core.transactions": "posted_at", "crm.contacts": "contacted_at", "crm.service_requests": "opened_at",
    "crm.surveys": "answered_at", "crm.campaign_members": "contacted_at",
}  # fmt: skip
MIDNIGHT = "T16:00:00Z"  # in Shanghai
AMOUNTS = {"core.transactions": "amount", "wealth.orders": "amount"}


def sides_swapped(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Debit for credit, and the sign with it: each row by itself is right."""
    hit = case.places(rows, rows["direction"].isin(["debit", "credit"]))
    other = rows["direction"].iloc[hit].map({"debit": "credit", "credit": "debit"})
    return scaled(put(rows, hit, "direction", other), hit, "amount", -1)


def of_one_hour(rows: pd.DataFrame, case: Case) -> pd.Series:
    """The rows of one hour, any of those that have some."""
    hours = rows["posted_at"].str[:13]
    return hours == case.random.choice(sorted(set(hours[hours != ""])) or case.refuse("it has no times"))


def of_one_channel(rows: pd.DataFrame, case: Case) -> pd.Series:
    channels = sorted(set(rows["channel"])) or case.refuse("it has no rows")
    return rows["channel"] == case.random.choice(channels)


def small(rows: pd.DataFrame, case: Case) -> pd.Series:
    return rows["amount"].str.match(r"^-?\d{1,2}(\.\d+)?$")


def at_midnight(texts: pd.Series, case: Case) -> pd.Series:
    return texts.str[:10] + MIDNIGHT


def charged(rows: pd.DataFrame, case: Case) -> pd.Series:
    return (rows["waiver_reason"] == "") & rows["charged_amount"].str.contains("[1-9]")


def nought(texts: pd.Series, case: Case) -> str:
    return "0.00"


TRANSACTIONS, FEES = ("core.transactions",), ("core.fees",)
ALL = {"reach": "all"}
# fmt: off
KINDS = (
    Kind("debit_credit_swapped", TRANSACTIONS, "Debit and credit exchanged on all rows, sign and label",
         "借贷方向全部颠倒（含金额符号）", "source", "block", sides_swapped, **ALL),
    Kind("direction_against_sign", TRANSACTIONS, "A debit with a positive amount, and the reverse",
         "借贷标志与金额符号矛盾", "both", "quarantine",
         edit("direction", lambda texts, case: texts.map({"debit": "credit", "credit": "debit"}))),
    Kind("one_hour_missing", TRANSACTIONS, "All transactions of one hour are left out", "缺少某一小时的全部交易",
         "source", "block", drop(of_one_hour), **ALL),
    Kind("channel_missing", TRANSACTIONS, "All transactions of one channel are left out", "缺少某一渠道的全部交易",
         "source", "block", drop(of_one_channel), **ALL),
    Kind("channels_all_one", TRANSACTIONS, "Every transaction has the channel system", "交易渠道全部相同", "source",
         "block", edit("channel", "system"), **ALL),
    Kind("small_amounts_missing", TRANSACTIONS, "All transactions below 100 are left out", "百元以下交易全部缺失",
         "source", "block", drop(small), **ALL),
    Kind("future_timestamp", tuple(TIMES), "Times after the business date", "时间晚于业务日期", "both", "quarantine",
         edit(TIMES, on(3))),
    Kind("times_all_midnight", TRANSACTIONS, "Every transaction at midnight", "交易时间全部为零点", "source", "block",
         edit("posted_at", at_midnight, lambda rows, case: ~rows["posted_at"].str.endswith(MIDNIGHT)), **ALL),
    Kind("date_against_time", TRANSACTIONS, "The booking date five days from the time", "记账日期与交易时间相差五天",
         "both", "quarantine", edit("transaction_date", lambda texts, case: moved_days(texts, -5))),
    Kind("zero_amount", tuple(AMOUNTS), "An amount of nought", "金额为零", "both", "quarantine",
         edit(AMOUNTS, nought, lambda rows, case: rows[AMOUNTS[case.table]].str.contains("[1-9]"))),
    Kind("reversal_without_its_original", TRANSACTIONS, "The reversal of a transaction that does not exist",
         "冲正交易找不到原交易", "both", "warn",
         edit("reversal_of", "T999999999999", lambda rows, case: rows["transaction_id"] != "")),
    Kind("posted_twice_under_new_ids", TRANSACTIONS, "Transactions a second time under new ids",
         "同一交易以新流水号重复入账", "source", "block", repeat("transaction_id", new_ids)),
    Kind("own_name_flags_lost", TRANSACTIONS, "No transfer is to the customer's own name", "本人转账标志全部为否",
         "source", "block", edit("is_own_name", "false"), **ALL),
    Kind("own_name_flags_all_set", TRANSACTIONS, "Every transfer is to the customer's own name",
         "本人转账标志全部为是", "source", "block", edit("is_own_name", "true"), **ALL),
    Kind("counterparty_tokens_equal", TRANSACTIONS, "Every counterparty has one token", "对手方标识全部相同",
         "source", "block", edit("counterparty_name_token", "0" * 16), **ALL),
    Kind("charged_above_list", FEES, "A fee above its list price", "实收费用高于标准价", "both", "quarantine",
         scale("charged_amount", 3)),
    Kind("waived_without_reason", FEES, "A fee waived with no reason given", "减免费用未注明原因", "both", "warn",
         edit("charged_amount", nought, charged)),
)
