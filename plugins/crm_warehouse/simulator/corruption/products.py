"""Products, holdings, prices, orders, loans and cards."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.edits import (
    after,
    all_equal,
    drop,
    edit,
    is_,
    later,
    most_common,
    new_ids,
    repeat,
    scale,
)
from crm_warehouse.simulator.corruption.kind import Case, Kind
from crm_warehouse.simulator.corruption.text_values import card_numbers, put, scaled

RATES = {"core.loans": "interest_rate", "finance.ftp_rates": "rate", "wealth.products": "fee_rate"}
NUMBERED = {
    "core.cards": "card_id",
    "core.customers": "address",
    "crm.contacts": "outcome",
    "crm.service_requests": "resolution",
}
HELD = ("wealth.holdings", "core.accounts", "core.loans", "core.cards", "wealth.orders", "wealth.navs")
UNITS = ("wealth.holdings", "wealth.orders")


def code_reused(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """A product code that now names another product: name, family, risk and launch are new."""
    hit = case.places(rows, ~rows["product_family"].isin(["insurance"]))
    changed = put(put(rows, hit, "product_family", "insurance"), hit, "product_name", "新产品（旧代码）")
    return put(put(changed, hit, "risk_level", "R4"), hit, "launched_on", case.today)


def valued_as_before(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Today's units at the value of the delivery before."""
    names = ["customer_id", "product_id"]
    earlier = case.earlier_rows().drop_duplicates(names, keep="last")[[*names, "market_value_amount"]]
    old = rows[names].merge(earlier, how="left", on=names)["market_value_amount"].astype(object)
    hit = case.places(rows, old.notna().to_numpy() & (old != rows["market_value_amount"].astype(object)).to_numpy())
    return put(rows, hit, "market_value_amount", old.iloc[hit])


def above(column: str, other: str, factor: float):
    """A number that should not exceed another is `factor` times it."""

    def apply(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
        hit = case.places(rows, rows[other].str.contains("[1-9]"))
        return scaled(put(rows, hit, column, rows[other].iloc[hit]), hit, column, factor)

    return apply


def of_one_product(rows: pd.DataFrame, case: Case) -> pd.Series:
    products = sorted(set(rows["product_id"])) or case.refuse("it has no rows")
    return rows["product_id"] == case.random.choice(products)


def full_numbers(texts: pd.Series, case: Case) -> np.ndarray:
    return np.array(card_numbers(case.random, len(texts)), dtype=object)


PRODUCTS, HOLDINGS, NAVS, ORDERS = ("wealth.products",), ("wealth.holdings",), ("wealth.navs",), ("wealth.orders",)
LOANS, CARDS = ("core.loans",), ("core.cards",)
ALL = {"reach": "all"}
# fmt: off
KINDS = (
    Kind("product_code_reused", PRODUCTS, "A product code that now names another product", "产品代码被另一产品复用",
         "source", "block", code_reused),
    Kind("unknown_product", HELD, "A product that does not exist", "产品代码不存在", "both", "quarantine",
         edit("product_id", "XX-000")),
    Kind("units_against_value", UNITS, "Units that do not give the value at the price", "份额乘净值与市值不符",
         "both", "quarantine", scale("units", 1.25)),
    Kind("stale_nav", NAVS, "Prices of five days before", "净值日期陈旧", "both", "warn", later("nav_date", -5)),
    Kind("holdings_at_stale_prices", HOLDINGS, "Values as they were in the delivery before", "市值沿用上一日净值",
         "source", "warn", valued_as_before),
    Kind("rate_as_percent", tuple(RATES), "All rates as percentages, 4.5 for 0.045", "利率误为百分数", "both",
         "block", scale(RATES, 100), **ALL),
    Kind("full_card_number", tuple(NUMBERED), "Full card numbers, which must not be kept", "出现完整卡号", "both",
         "block", edit(NUMBERED, full_numbers)),
    Kind("rates_all_equal", tuple(RATES), "Every rate is the most common one", "利率全部相同", "source", "block",
         all_equal(RATES, most_common), **ALL),
    Kind("rates_all_nought", tuple(RATES), "Every rate is nought", "利率全部为零", "source", "block", scale(RATES, 0),
         **ALL),
    Kind("product_missing", ("wealth.products", "wealth.navs", "wealth.holdings"), "One product is left out",
         "缺少一个产品", "source", "block", drop(of_one_product), **ALL),
    Kind("risk_levels_lowered", PRODUCTS, "Every product has the lowest risk level", "产品风险等级全部降为最低",
         "source", "block", edit("risk_level", "R1"), **ALL),
    Kind("all_counted_in_aum", PRODUCTS, "Every product counts in AUM, loans too", "所有产品（含贷款）均计入管理资产",
         "source", "block", edit("counts_in_aum", "true"), **ALL),
    Kind("none_counted_in_aum", PRODUCTS, "No product counts in AUM", "所有产品均不计入管理资产", "source", "block",
         edit("counts_in_aum", "false"), **ALL),
    Kind("nav_point_shifted", NAVS, "Prices ten times as high", "净值小数点错位", "both", "block", scale("nav", 10)),
    Kind("nav_not_positive", NAVS, "Prices below nought", "净值为负", "both", "quarantine", scale("nav", -1)),
    Kind("negative_units", UNITS, "Units below nought", "份额为负", "both", "quarantine", scale("units", -1)),
    Kind("order_sides_swapped", ORDERS, "Buy and redeem exchanged on all rows", "申购与赎回全部颠倒", "source",
         "block",
         edit("side", lambda texts, case: texts.map({"buy": "redeem", "redeem": "buy"}), is_("side", "buy", "redeem")),
         **ALL),
    Kind("orders_twice_under_new_ids", ORDERS, "Orders a second time under new ids", "同一订单以新编号重复", "source",
         "block", repeat("order_id", new_ids)),
    Kind("owed_above_principal", LOANS, "More is owed than was lent", "贷款余额高于本金", "both", "quarantine",
         above("outstanding_amount", "principal_amount", 1.5)),
    Kind("arrears_all_nought", LOANS, "No loan is past due", "逾期天数全部为零", "source", "block",
         edit("days_past_due", "0"), **ALL),
    Kind("matures_before_opened", LOANS, "Due before it was opened", "到期日早于开立日", "both", "quarantine",
         after({"core.loans": ("matures_on", "opened_on")}, -1)),
    Kind("probability_above_one", LOANS, "A probability of default above one", "违约概率大于一", "both", "quarantine",
         edit("probability_of_default", "1.700000")),
    Kind("loans_change_product", LOANS, "Every loan is of the most common product", "贷款产品全部相同", "source",
         "block", all_equal("product_id", most_common), **ALL),
    Kind("owed_above_limit", CARDS, "More is owed on a card than its limit", "信用卡欠款超过额度", "both", "warn",
         above("outstanding_amount", "credit_limit_amount", 2)),
    Kind("limits_all_equal", CARDS, "Every card has the most common limit", "信用卡额度全部相同", "source", "block",
         all_equal("credit_limit_amount", most_common), **ALL),
)
