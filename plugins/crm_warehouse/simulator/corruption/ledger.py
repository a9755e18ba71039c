"""Accounts, balances and the general ledger: whose money, how much, in which unit and currency."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.edits import drop, edit, is_, money, new_ids, on, scale, shuffled
from crm_warehouse.simulator.corruption.kind import MONEY, Case, Kind
from crm_warehouse.simulator.corruption.text_values import is_number, places_of, put, scaled, text_of, units_of

CUSTOMER = ("core.accounts", "core.account_holders", "core.loans", "core.cards", "core.fees", "wealth.holdings",
            "wealth.orders", "crm.rm_assignments", "crm.contacts", "crm.programmes", "crm.service_requests",
            "crm.surveys", "crm.campaign_members")  # fmt: skip
CURRENCY = (
    "core.accounts",
    "core.balances",
    "core.transactions",
    "wealth.products",
    "wealth.orders",
    "finance.ledger_balances",
)
OPENED = {
    "core.accounts": "opened_on",
    "core.loans": "opened_on",
    "core.cards": "issued_on",
    "wealth.products": "launched_on",
}


def not_nought(rows: pd.DataFrame, case: Case) -> np.ndarray:
    return rows[case.money].str.contains("[1-9]").to_numpy(dtype=bool)


def rounded(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Amounts without their cents; written with .00, as a number of two places is."""
    column = case.money
    with_cents = is_number(rows[column]) & rows[column].str.contains(r"\.\d*[1-9]").to_numpy(dtype=bool)
    hit = case.places(rows, with_cents)
    places = places_of(rows[column])
    units = units_of(rows[column].iloc[hit], places)
    return put(rows, hit, column, text_of(np.rint(units / 10**places).astype(np.int64) * 10**places, places))


def moved_without_cause(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Amounts up or down by 3 to 30 %, with no movement that explains it."""
    column = case.money
    hit = case.places(rows, not_nought(rows, case) & is_number(rows[column]))
    factors = 1 + case.random.uniform(0.03, 0.3, hit.size) * case.random.choice([-1, 1], hit.size)
    return scaled(rows, hit, column, factors)


def pairs_exchanged(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Amounts given to other rows of those hit: every total stays. Two rows at least."""
    column = case.money
    hit = case.hit(rows, not_nought(rows, case))
    if hit.size < 2:
        hit = case.random.choice(np.flatnonzero(not_nought(rows, case)), min(2, len(rows)), replace=False)
    return put(rows, hit, column, shuffled(rows[column].iloc[hit], case))


def one_currency_multiplied(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """All amounts of one currency, the rarest, times the magnitude."""
    counts = rows.loc[not_nought(rows, case), "currency_code"].value_counts()
    if counts.empty:
        case.refuse("it has no amount that is not nought")
    rarest = min(counts.index, key=lambda code: (counts[code], code))
    hit = case.places(rows, (rows["currency_code"] == rarest) & not_nought(rows, case))
    return scaled(rows, hit, case.money, case.magnitude)


def noughts(texts: pd.Series, case: Case) -> list[str]:
    """A nought for each amount, in as many places."""
    return [f"{0:.{len(text.partition('.')[2])}f}" for text in texts]


def owners_moved(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    owners = np.roll(rows["customer_id"].to_numpy(dtype=object), 7)
    hit = case.hit(rows, rows["customer_id"].to_numpy(dtype=object) != owners)
    return put(rows, hit, "customer_id", owners[hit])


def reopened(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    hit = case.places(rows, rows["account_status"] == "closed")
    return put(put(rows, hit, "account_status", "open"), hit, "closed_on", "")


def not_closed(rows: pd.DataFrame, case: Case) -> pd.Series:
    return (rows["closed_on"] == "") & (rows["account_status"] != "closed")


def as_before(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Amounts that the delivery before had for the same account: a job that read an old copy."""
    earlier = case.earlier_rows().drop_duplicates("account_id", keep="last").set_index("account_id")["balance_amount"]
    old = rows["account_id"].map(earlier).astype(object)
    differs = old.notna().to_numpy() & (old != rows["balance_amount"].astype(object)).to_numpy()
    hit = case.places(rows, differs)
    return put(rows, hit, "balance_amount", old.iloc[hit])


ACCOUNTS, BALANCES, LEDGER = ("core.accounts",), ("core.balances",), ("finance.ledger_balances",)
STATED = ("core.balances", "wealth.holdings", "core.loans", "finance.ledger_balances")
ALL = {"reach": "all"}
# fmt: off
KINDS = (
    Kind("unknown_customer", CUSTOMER, "Rows of a customer who does not exist", "客户号不存在", "both", "quarantine",
         edit("customer_id", new_ids)),
    Kind("unknown_account", ("core.balances", "core.transactions", "core.account_holders", "core.fees"),
         "Rows of an account that does not exist", "账号不存在", "both", "quarantine", edit("account_id", new_ids)),
    Kind("currency_defaulted_to_cny", CURRENCY, "Every currency is CNY", "币种全部变为人民币", "source", "block",
         edit("currency_code", "CNY"), **ALL),
    Kind("currency_unknown", CURRENCY, "A currency code that does not exist", "币种代码不存在", "both", "quarantine",
         edit("currency_code", "RMB")),
    Kind("opened_after_business_date", tuple(OPENED), "Opened, issued or launched after the business date",
         "开立日期晚于业务日期", "both", "quarantine", edit(OPENED, on(20))),
    Kind("yuan_as_fen", MONEY, "All amounts a hundred times as high", "金额单位误为分，全部放大百倍", "both", "block",
         scale(money, 100), **ALL),
    Kind("fen_as_yuan", MONEY, "All amounts a hundredth", "金额全部缩小为百分之一", "both", "block",
         scale(money, 0.01), **ALL),
    Kind("sign_flipped", MONEY, "Amounts with the other sign", "金额正负号相反", "both", "block", scale(money, -1)),
    Kind("rounded_to_yuan", MONEY, "All amounts rounded to whole units", "金额全部四舍五入到元", "both", "block",
         rounded, **ALL),
    Kind("roll_forward_broken", STATED, "Amounts up or down by 3 to 30 % with no movement that explains it",
         "余额变动无交易支持", "both", "block", moved_without_cause),
    Kind("amount_nan", MONEY, "NaN where an amount belongs", "金额为 NaN", "both", "quarantine", edit(money, "NaN")),
    Kind("amount_overflow", MONEY, "An amount no account can hold", "金额溢出", "both", "quarantine",
         edit(money, "99999999999999999999.99")),
    Kind("amount_empty", MONEY, "The amount is empty", "金额为空", "both", "quarantine", edit(money, "")),
    Kind("half_zeroed", STATED, "Half of the amounts are nought", "一半金额归零", "source", "block",
         edit(money, noughts, not_nought), magnitude=0.5),
    Kind("amounts_exchanged", MONEY, "Amounts given to other rows, all totals the same", "金额在行间互换，总额不变",
         "both", "block", pairs_exchanged, magnitude=0.02),
    Kind("one_currency_multiplied",
         ("core.balances", "finance.ledger_balances", "core.transactions", "wealth.orders"),
         "All amounts of the rarest currency times the magnitude", "某一币种金额全部乘以系数", "source", "block",
         one_currency_multiplied, reach="factor", magnitude=7.0),
    Kind("balances_of_the_day_before", BALANCES, "Balances as they were in the delivery before", "余额仍为上一日数值",
         "source", "block", as_before, **ALL),
    Kind("foreign_currency_missing", ("core.accounts", "core.balances", "finance.ledger_balances"),
         "All rows in foreign currency are left out", "外币数据全部缺失", "source", "block",
         drop(lambda rows, case: rows["currency_code"] != "CNY"), **ALL),
    Kind("accounts_change_owner", ACCOUNTS, "Accounts under other customers' names", "账户归属客户错乱", "source",
         "block", owners_moved),
    Kind("accounts_reopened", ACCOUNTS, "All closed accounts open again", "已销户账户全部恢复为正常", "source",
         "block", reopened, **ALL),
    Kind("accounts_all_dormant", ACCOUNTS, "Every open account is dormant", "正常账户全部变为休眠", "source", "block",
         edit("account_status", "dormant", is_("account_status", "open")), **ALL),
    Kind("closed_without_a_date", ACCOUNTS, "Closed, and no date of it", "已销户但无销户日期", "both", "quarantine",
         edit("account_status", "closed", not_closed)),
    Kind("shares_do_not_add_up", ("core.account_holders",), "The shares of an account are half of it",
         "持有份额合计不为一", "both", "quarantine", scale("share_fraction", 0.5)),
    Kind("owners_missing", ("core.account_holders",), "Accounts without an owner", "账户缺少持有人", "both", "block",
         drop(is_("holder_role", "owner"))),
    Kind("ledger_line_missing", LEDGER, "One ledger account is left out", "缺少一个总账科目", "source", "block",
         drop(lambda rows, case: rows["ledger_code"] == case.random.choice(sorted(set(rows["ledger_code"])))), **ALL),
)
