"""Customers: who they are, how they are reached, what they agreed to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm_warehouse.simulator.corruption.edits import after, drop, edit, new_ids, on, repeat
from crm_warehouse.simulator.corruption.kind import Case, Kind
from crm_warehouse.simulator.corruption.text_values import CHECK_CHARACTERS, moved_days, put

PLACEHOLDERS = ("111111111111111111", "123456789012345678", "000000000000000000")
MOST_WITH_ONE_MOBILE = 20
RESIDENT_ID = r"^\d{17}[\dX]$"


def with_resident_id(rows: pd.DataFrame, case: Case) -> pd.Series:
    return rows["id_number"].str.match(RESIDENT_ID)


def wrong_check_character(texts: pd.Series, case: Case) -> np.ndarray:
    following = dict(zip(CHECK_CHARACTERS, np.roll(CHECK_CHARACTERS, 1), strict=True))
    return np.array([text[:17] + following[text[17]] for text in texts], dtype=object)


def swappable(rows: pd.DataFrame, case: Case) -> np.ndarray:
    """Birth dates that are another date with day and month exchanged."""
    month, day = rows["birth_date"].str[5:7], rows["birth_date"].str[8:10]
    return (with_resident_id(rows, case) & (day <= "12") & (day != month)).to_numpy(dtype=bool)


def other_gender(texts: pd.Series, case: Case) -> pd.Series:
    return texts.map({"female": "male", "male": "female"})


def of_known_gender(rows: pd.DataFrame, case: Case) -> pd.Series:
    return with_resident_id(rows, case) & rows["gender"].isin(["female", "male"])


def shared_mobile(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    """More customers than one number can have, whatever the share asked for."""
    known = np.flatnonzero(rows["mobile"] != "")
    wanted = max(MOST_WITH_ONE_MOBILE + 2, round(case.magnitude * len(rows)))
    if known.size < wanted:
        case.refuse(f"fewer than {wanted} customers have a mobile")
    hit = case.random.choice(known, wanted, replace=False)
    return put(rows, hit, "mobile", rows["mobile"].iloc[hit[0]])


def ids_of_a_spreadsheet(texts: pd.Series, case: Case) -> np.ndarray:
    return np.array([f"{float(text[:17]) * 10:.5E}" for text in texts], dtype=object)


CUSTOMERS = ("core.customers",)
ALL = {"reach": "all"}
# fmt: off
KINDS = (
    Kind("duplicate_customer_id", CUSTOMERS, "A customer id twice, with another name", "客户号重复（姓名不同）",
         "both", "block", repeat("customer_name", lambda texts, case: (texts + "二").to_numpy(dtype=object))),
    Kind("null_id_number", CUSTOMERS, "The id number is empty", "证件号为空", "both", "quarantine",
         edit("id_number", "")),
    Kind("id_checksum_wrong", CUSTOMERS, "The last character of the resident id does not fit", "身份证校验位错误",
         "both", "quarantine", edit("id_number", wrong_check_character, with_resident_id)),
    Kind("placeholder_id", CUSTOMERS, "An id number that stands for none: 111111111111111111 and the like",
         "证件号为占位值", "both", "quarantine",
         edit("id_number", lambda texts, case: case.random.choice(np.array(PLACEHOLDERS, dtype=object), len(texts)))),
    Kind("birth_date_against_id", CUSTOMERS, "The birth date is not the one in the resident id",
         "出生日期与身份证不符", "both", "quarantine",
         edit("birth_date", lambda texts, case: moved_days(texts, 400), with_resident_id)),
    Kind("day_month_swapped", CUSTOMERS, "Day and month of the birth date exchanged", "出生日期日月互换", "both",
         "quarantine",
         edit("birth_date", lambda texts, case: texts.str[:5] + texts.str[8:10] + "-" + texts.str[5:7], swappable)),
    Kind("masked_mobiles", CUSTOMERS, "All mobiles masked, 138****1234", "手机号均被脱敏", "source", "block",
         edit("mobile", lambda texts, case: texts.str[:3] + "****" + texts.str[-4:]), **ALL),
    Kind("shared_mobile", CUSTOMERS, "One mobile on more than 20 customers", "同一手机号对应二十个以上客户", "both",
         "warn", shared_mobile),
    Kind("unknown_risk_code", CUSTOMERS, "A risk rating C9", "风险等级代码未知", "both", "quarantine",
         edit("risk_rating", "C9")),
    Kind("customers_vanish", CUSTOMERS, "5 % of the customers are left out", "百分之五的客户消失", "source", "block",
         drop(), magnitude=0.05),
    Kind("name_starting_with_equals", CUSTOMERS, "A name that a spreadsheet would run", "姓名以等号开头", "both",
         "warn", edit("customer_name", lambda texts, case: "=HYPERLINK(" + texts + ")")),
    Kind("all_consents_true", CUSTOMERS, "Every customer agrees to marketing", "营销授权全部为是", "source", "block",
         edit("consent_marketing", "true"), **ALL),
    Kind("customer_again_under_a_new_id", CUSTOMERS, "The same person a second time under a new id",
         "同一客户以新客户号重复出现", "both", "warn", repeat("customer_id", new_ids)),
    Kind("closed_before_onboarded", CUSTOMERS, "Closed before the customer came", "销户日早于开户日", "both",
         "quarantine", after({"core.customers": ("closed_on", "onboarded_on")}, -30)),
    Kind("onboarded_all_today", CUSTOMERS, "Every customer came today, as after a migration", "开户日期全部变为当日",
         "source", "block", edit("onboarded_on", on(0)), **ALL),
    Kind("onboarded_in_the_future", CUSTOMERS, "Customers who will come in a year", "开户日期在将来", "both",
         "quarantine", edit("onboarded_on", on(365))),
    Kind("gender_against_id", CUSTOMERS, "The gender is not the one in the resident id", "性别与身份证不符", "both",
         "warn", edit("gender", other_gender, of_known_gender)),
    Kind("risk_ratings_all_equal", CUSTOMERS, "Every customer has the risk rating C3", "风险等级全部相同", "source",
         "block", edit("risk_rating", "C3"), **ALL),
    Kind("consent_in_the_future", CUSTOMERS, "Consent given after the business date", "授权时间在将来", "both",
         "quarantine", edit("consent_updated_at", on(10))),
    Kind("ids_of_a_spreadsheet", CUSTOMERS, "Id numbers as a spreadsheet writes them, 5.19901E+17",
         "证件号变为科学计数", "both", "quarantine", edit("id_number", ids_of_a_spreadsheet, with_resident_id)),
    Kind("names_all_empty", CUSTOMERS, "No customer has a name", "姓名全部为空", "source", "block",
         edit("customer_name", ""), **ALL),
    Kind("wealth_in_ten_thousands", CUSTOMERS, "Declared wealth in 10,000 yuan where yuan is agreed",
         "申报资产单位误为万元", "source", "block",
         edit("declared_wealth_amount", lambda texts, case: [f"{float(text) / 10000:.2f}" for text in texts]), **ALL),
    Kind("addresses_for_mobiles", CUSTOMERS, "The address stands where the mobile belongs", "手机号字段填入地址",
         "both", "quarantine", edit("mobile", "北京市朝阳区建国路一号")),
)
