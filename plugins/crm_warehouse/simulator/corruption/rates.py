"""Exchange rates, transfer prices, unit costs, branches and the calendar: what every figure is computed with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.edits import drop, edit, is_, later, scale, shuffled
from crm_warehouse.simulator.corruption.kind import Case, Kind
from crm_warehouse.simulator.corruption.text_values import put


def of_one_currency(rows: pd.DataFrame, case: Case) -> pd.Series:
    """The rows of one foreign currency, any."""
    foreign = sorted(set(rows["currency_code"]) - {"CNY"}) or case.refuse("it has no foreign currency")
    return rows["currency_code"] == case.random.choice(foreign)


def of_one_family(rows: pd.DataFrame, case: Case) -> pd.Series:
    families = sorted(set(rows["product_family"])) or case.refuse("it has no rows")
    return rows["product_family"] == case.random.choice(families)


def inverted(texts: pd.Series, case: Case) -> list[str]:
    return [f"{1 / float(text):.8f}" for text in texts]


def as_before(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Every rate that of the currency's last day in the delivery before."""
    earlier = case.earlier_rows().drop_duplicates("currency_code", keep="last").set_index("currency_code")
    old = rows["currency_code"].map(earlier["cny_per_unit"]).astype(object)
    hit = case.places(rows, old.notna().to_numpy() & (old != rows["cny_per_unit"].astype(object)).to_numpy())
    return put(rows, hit, "cny_per_unit", old.iloc[hit])


def foreign_exchanged(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """The rates of the foreign currencies given to one another."""
    hit = case.places(rows, rows["currency_code"] != "CNY")
    return put(rows, hit, "cny_per_unit", np.roll(rows["cny_per_unit"].to_numpy(dtype=object)[hit], 1))


FX, FTP, COSTS = ("reference.fx_rates",), ("finance.ftp_rates",), ("finance.unit_costs",)
BRANCHES, CALENDAR = ("reference.branches",), ("reference.calendar",)
ALL = {"reach": "all"}
# fmt: off
KINDS = (
    Kind("currency_missing", FX, "All rates of one currency are left out", "缺少某一币种汇率", "both", "block",
         drop(of_one_currency), **ALL),
    Kind("pair_inverted", FX, "One currency's rates the other way round: units per CNY", "某一币种汇率方向颠倒",
         "both", "block", edit("cny_per_unit", inverted, of_one_currency), **ALL),
    Kind("rate_per_hundred_units", FX, "One currency's rates per 100 units", "某一币种汇率按百单位报价", "both",
         "block", scale("cny_per_unit", 100, of_one_currency), **ALL),
    Kind("rates_exchanged", FX, "Rates under the names of other currencies", "各外币汇率互换", "source", "block",
         foreign_exchanged, **ALL),
    Kind("rates_of_the_day_before", FX, "Rates as they were in the delivery before", "汇率沿用上一日", "source",
         "warn", as_before, **ALL),
    Kind("rate_nought", FX, "A rate of nought", "汇率为零", "both", "quarantine", scale("cny_per_unit", 0)),
    Kind("rate_dates_a_week_old", FX, "Rates dated a week before", "汇率日期为一周前", "source", "block",
         later("rate_date", -7), **ALL),
    Kind("cny_not_one", FX, "A yuan is not worth a yuan", "人民币汇率不为一", "both", "block",
         scale("cny_per_unit", 1.02, is_("currency_code", "CNY")), **ALL),
    Kind("transfer_prices_of_one_family_missing", FTP, "No transfer prices of one product family",
         "缺少某一产品族的内部转移价格", "source", "block", drop(of_one_family), **ALL),
    Kind("transfer_prices_negative", FTP, "All transfer prices below nought", "内部转移价格全部为负", "source",
         "block", scale("rate", -1), **ALL),
    Kind("transfer_prices_moved", FTP, "Transfer prices of other families and terms", "内部转移价格错位", "source",
         "block", edit("rate", shuffled), **ALL),
    Kind("unit_costs_negative", COSTS, "A unit cost below nought", "单位成本为负", "both", "quarantine",
         scale("full_unit_cost", -1)),
    Kind("avoidable_above_full", COSTS, "The avoidable cost above the full cost", "可避免成本高于全部成本", "both",
         "warn", scale("avoidable_unit_cost", 20)),
    Kind("business_days_turned", CALENDAR, "Business days are holidays and the reverse", "营业日与假日颠倒", "source",
         "block", edit("is_business_day", lambda texts, case: texts.map({"true": "false", "false": "true"})), **ALL),
    Kind("days_missing", CALENDAR, "Days are left out of the calendar", "日历缺少日期", "both", "block", drop()),
    Kind("regions_moved", BRANCHES, "Regions under other branches' names", "支行所属地区错位", "source", "block",
         edit("region_code", shuffled), **ALL),
)
