"""How values are written: numbers, dates, codes and keys in a form that was not agreed, in any table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.delivery_files import PLAIN_NUMBER
from crm_warehouse.simulator.corruption.edits import edit, key, money
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT, MONEY, Case, Kind
from crm_warehouse.simulator.corruption.text_values import moved_seconds, put

FULL_WIDTH = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
SEEN = {  # the column with characters beyond ASCII
    "core.customers": "customer_name", "reference.branches": "branch_name", "reference.calendar": "holiday_name",
    "wealth.products": "product_name", "crm.campaigns": "name",
}  # fmt: skip
DATED = {
    "core.transactions": "transaction_date", "core.customers": "birth_date", "core.accounts": "opened_on",
    "core.balances": "balance_date", "core.loans": "opened_on", "core.cards": "issued_on", "core.fees": "fee_date",
    "wealth.products": "launched_on", "wealth.holdings": "holding_date", "wealth.navs": "nav_date",
    "wealth.orders": "order_date", "crm.relationship_managers": "hired_on", "crm.rm_assignments": "valid_from",
    "crm.programmes": "joined_on", "crm.campaigns": "starts_on", "finance.ftp_rates": "effective_on",
    "finance.ledger_balances": "ledger_date", "reference.fx_rates": "rate_date",
}  # fmt: skip
TIMED = {
    "core.transactions": "posted_at", "core.customers": "consent_updated_at", "crm.contacts": "contacted_at",
    "crm.service_requests": "opened_at", "crm.surveys": "answered_at", "crm.campaign_members": "contacted_at",
}  # fmt: skip
CODED = {
    "core.customers": "customer_type", "core.accounts": "account_status", "core.account_holders": "holder_role",
    "core.balances": "balance_basis", "core.transactions": "channel", "wealth.products": "product_family",
    "wealth.holdings": "balance_basis", "wealth.orders": "side", "crm.rm_assignments": "assignment_role",
    "crm.contacts": "channel", "crm.programmes": "programme_type", "crm.service_requests": "handler_stage",
    "crm.surveys": "survey_type",
}  # fmt: skip
EMPTY = {
    "core.accounts": "closed_on", "core.customers": "closed_on", "core.transactions": "reversal_of",
    "core.cards": "closed_on", "crm.rm_assignments": "valid_to",
}  # fmt: skip
KEYED = tuple(DATED) + ("crm.contacts", "core.account_holders", "crm.service_requests", "crm.surveys")


def each(function):
    """A change of every text by itself."""
    return lambda texts, case: np.array([function(text) for text in texts], dtype=object)


def with_separators(text: str) -> str:
    whole, _, cents = text.partition(".")
    return f"{int(whole):,}.{cents}"


def matching(pattern: str):
    return lambda rows, case: rows[money(case)].str.match(pattern)


def type_changed(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """The first date as a number (20260615), or, where there is none, the first number with an exponent."""
    dates, numbers = case.columns_of("date"), case.columns_of("decimal", "fraction", "quantity", "timestamp")
    if not dates and not numbers:
        case.refuse("it has no date and no number")
    column = (dates or numbers)[0]
    hit = case.places(rows, rows[column] != "")
    texts = rows[column].iloc[hit]
    changed = texts.str.replace("-", "") if dates else [f"{float(t):E}" if "T" not in t else t[:10] for t in texts]
    return put(rows, hit, column, changed)


def column_added(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    return rows.assign(source_remark=pd.Series("-", index=rows.index, dtype=str))


def columns_reordered(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """The second column before the first, values too."""
    if case.path.suffix == ".jsonl":
        case.refuse("an object of JSON has no order")
    return rows[[rows.columns[1], rows.columns[0], *rows.columns[2:]]]


def header_names_swapped(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    return rows.set_axis([rows.columns[1], rows.columns[0], *rows.columns[2:]], axis=1)


def huge_field(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """3 MB of text in one row's last free text, or where there is none, its last text."""
    texts = [c.name for c in case.spec.columns if c.type == "text" and not (c.key or c.values or c.references)]
    texts = texts or case.columns_of("text")
    if not texts or rows.empty:
        case.refuse("it has no text")
    column = SEEN.get(case.table, texts[-1])
    return put(rows, case.random.integers(len(rows), size=1), column, "x" * 3_000_000)


def broken(texts: pd.Series, case: Case) -> np.ndarray:
    """What is left of characters that went through the wrong encoding twice."""
    rests = ("\ufffd\ufffd", "锟斤拷", "??")
    return np.array([text[:1] + rests[number % 3] for number, text in enumerate(texts)], dtype=object)


def excel_serials(texts: pd.Series, case: Case) -> np.ndarray:
    days = texts.to_numpy(dtype="datetime64[D]") - np.datetime64("1899-12-30")
    return days.astype(np.int64).astype(str).astype(object)


def leading_zeros_lost(texts: pd.Series, case: Case) -> pd.Series:
    return texts.str.replace(r"^([A-Za-z]*)0+(?=\d)", r"\1", regex=True)


ANY = EVERY_EXTRACT
ALL = {"reach": "all", "keeps_totals": True}
WRITTEN = {"keeps_totals": True}
SIGNED = ("core.transactions", "core.balances", "wealth.orders", "finance.ledger_balances")
HAS_ZEROS = lambda rows, case: rows[key(case)].str.match(r"^[A-Za-z]*0\d")  # noqa: E731
IDS = (
    "core.accounts", "core.customers", "core.balances", "core.transactions", "core.account_holders", "core.loans",
    "core.cards", "wealth.holdings", "wealth.orders", "crm.rm_assignments", "crm.relationship_managers", "crm.contacts",
)  # fmt: skip
# fmt: off
KINDS = (
    Kind("columns_reordered", ANY, "Two columns in another order, values too", "两列互换顺序（含数据）", "both",
         "block", columns_reordered, **ALL),
    Kind("header_names_swapped", ANY, "Two names of the header exchanged, values not", "表头两列名称互换而数据未变",
         "both", "block", header_names_swapped, **ALL),
    Kind("column_added", ANY, "A column that was not agreed, at the end", "末尾多出一列", "both", "warn",
         column_added, **ALL),
    Kind("type_changed", ANY, "The first date as a number 20260615; else the first number with an exponent",
         "首个日期列变为数字，或首个数字列变为科学计数", "both", "block", type_changed, **ALL),
    Kind("huge_field", ANY, "3 MB of text in one field", "某字段含 3 MB 文本", "both", "quarantine", huge_field,
         **ALL),
    Kind("broken_characters", tuple(SEEN), "Names end in characters that are broken", "名称含乱码", "both",
         "quarantine", edit(SEEN, broken, lambda rows, case: ~rows[SEEN[case.table]].map(str.isascii).astype(bool))),
    Kind("decimals_with_a_comma", MONEY, "All amounts with a decimal comma", "金额小数点写成逗号", "both", "block",
         edit(money, each(lambda t: t.replace(".", ","))), **ALL),
    Kind("thousands_separators", MONEY, "Amounts with separators of thousands", "金额带千分位逗号", "both",
         "quarantine", edit(money, each(with_separators), matching(r"^-?\d{4,}\.\d+$")), **WRITTEN),
    Kind("full_width_digits", MONEY, "Amounts in full-width digits", "金额为全角数字", "both", "quarantine",
         edit(money, each(lambda t: t.translate(FULL_WIDTH))), **WRITTEN),
    Kind("currency_signs", MONEY, "Amounts with a currency sign", "金额带货币符号", "both", "quarantine",
         edit(money, each(lambda t: "¥" + t)), **WRITTEN),
    Kind("amounts_with_an_exponent", MONEY, "Amounts as a spreadsheet shortens them, 1.23E+05", "金额变为科学计数",
         "both", "quarantine", edit(money, each(lambda t: f"{float(t):.2E}"), matching(PLAIN_NUMBER)), **WRITTEN),
    Kind("minus_behind", SIGNED, "The minus behind the number", "负号写在数字后", "both", "block",
         edit(money, each(lambda t: t[1:] + "-"), lambda rows, case: rows[money(case)].str.startswith("-")), **ALL),
    Kind("dates_with_two_digit_years", tuple(DATED), "All dates with a year of two digits", "日期年份仅两位", "both",
         "block", edit(DATED, each(lambda t: t[2:])), **ALL),
    Kind("dates_with_slashes", tuple(DATED), "All dates with slashes", "日期用斜线分隔", "both", "block",
         edit(DATED, each(lambda t: t.replace("-", "/"))), **ALL),
    Kind("dates_as_serials", tuple(DATED), "Dates as the numbers a spreadsheet keeps", "日期变为电子表格序列号",
         "both", "quarantine",
         edit(DATED, excel_serials, lambda rows, case: rows[DATED[case.table]].str.match(r"^\d{4}-\d\d-\d\d$")),
         **WRITTEN),
    Kind("dates_defaulted", tuple(DATED), "Dates that were not known as 1900-01-01", "未知日期填为 1900-01-01",
         "both", "warn", edit(DATED, "1900-01-01"), **WRITTEN),
    Kind("timestamps_shifted_8_hours", tuple(TIMED), "All times eight hours late, local time called UTC",
         "所有时间晚八小时（北京时间误作 UTC）", "both", "block",
         edit(TIMED, lambda texts, case: moved_seconds(texts, 8 * 3600)), **ALL),
    Kind("timestamps_without_zone", tuple(TIMED), "All times without their zone", "时间缺少时区", "both", "block",
         edit(TIMED, each(lambda t: t.rstrip("Z"))), **ALL),
    Kind("codes_in_upper_case", tuple(CODED), "All codes in capitals", "代码变为大写", "both", "block",
         edit(CODED, each(str.upper)), **ALL),
    Kind("null_spelled_out", tuple(EMPTY), "NULL written where there is no value", "空值写成 NULL", "both",
         "quarantine", edit(EMPTY, "NULL", lambda rows, case: rows[EMPTY[case.table]] == ""), **WRITTEN),
    Kind("keys_with_trailing_spaces", KEYED, "Keys with spaces behind", "主键末尾带空格", "both", "warn",
         edit(key, each(lambda t: t + "  ")), **WRITTEN),
    Kind("ids_in_lower_case", IDS, "Identifiers in lower case", "编号变为小写", "both", "quarantine",
         edit(key, each(str.lower)), **WRITTEN),
    Kind("ids_truncated", IDS, "Identifiers without their last character", "编号末位被截断", "both", "quarantine",
         edit(key, each(lambda t: t[:-1])), **WRITTEN),
    Kind("leading_zeros_lost", IDS, "All identifiers without their leading zeros", "编号前导零丢失", "both", "block",
         edit(key, leading_zeros_lost, HAS_ZEROS), **ALL),
)
