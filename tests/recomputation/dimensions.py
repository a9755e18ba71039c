"""The dimensions: the latest deliveries and the policy files."""

from __future__ import annotations

from datetime import date, timedelta

from .arithmetic import OPEN_END, OPEN_END_AT, day_or_none, next_month, number_or_none, text_or_none
from .bank import Bank
from .keys import KEYS


def customers_dimension(bank: Bank, history: dict) -> dict[tuple[str], dict]:
    in_force = {
        customer: row["tier_code"]
        for (customer, valid_from, _), row in history.items()
        if row["known_to"] == OPEN_END_AT and valid_from <= bank.business_date < row["valid_to"]
    }
    rows = {}
    for customer, known in bank.customers.items():
        today = bank.business_date
        band = bank.age_band_on(day_or_none(known["birth_date"]), today)
        text = {
            name: text_or_none(known.get(name))
            for name in ("region_code", "city_tier", "gender", "occupation_code", "industry_code", "risk_rating",
                         "branch_id")
        }  # fmt: skip
        rows[(customer,)] = text | {
            "tier_code": in_force.get(customer),
            "age_band": band["age_band"],
            "onboarded_on": day_or_none(known["onboarded_on"]),
            "closed_on": day_or_none(known.get("closed_on")),
            "primary_rm_id": bank.managers.get(customer),
            "is_founder_generation": band["is_founder_generation"] == "true",
            "is_county": text["city_tier"] and text["city_tier"] == "county",
            "is_sole_proprietor": text["occupation_code"] and text["occupation_code"] == "self_employed",
            "is_cautious": bank.is_cautious_on(text["risk_rating"], today),
            "is_merged_record": customer in bank.merges and bank.merges[customer].holds_on(today),
        }
    return rows


def products_dimension(bank: Bank) -> dict[tuple[str], dict]:
    return {
        (product,): {
            "product_name": row["product_name"],
            "product_family": row["product_family"],
            "risk_level": text_or_none(row.get("risk_level")),
            "currency_code": row["currency_code"],
            "minimum_amount": number_or_none(row.get("minimum_amount")),
            "term_days": number_or_none(row.get("term_days")),
            "launched_on": day_or_none(row.get("launched_on")),
            "fee_rate": number_or_none(row.get("fee_rate")),
            "counts_in_aum": row["counts_in_aum"],
        }
        for product, row in bank.products.items()
    }


def branches_dimension(bank: Bank) -> dict[tuple[str], dict]:
    return {
        (row["branch_id"],): {
            "branch_name": row["branch_name"],
            "region_code": row["region_code"],
            "region_name": row["region_name"],
            "city_tier": text_or_none(row.get("city_tier")),
        }
        for row in bank.branches
    }


def dates_dimension(bank: Bank) -> dict[tuple[date], dict]:
    rows = {}
    for month in bank.months:
        for day in bank.days(month):
            is_open, holiday = (bank.calendar or {}).get(day, (None, None))
            rows[(day,)] = {
                "month": month,
                "calendar_year": day.year,
                "calendar_quarter": (day.month + 2) // 3,
                "is_month_end": day + timedelta(days=1) == next_month(month),
                "is_business_day": is_open,
                "holiday_name": holiday,
            }
    return rows


def policies_dimension(bank: Bank) -> dict[tuple[str, str, str], dict]:
    policies = {(row["policy_id"], row["policy_version"]): row for row in bank.policy("tier_policies")}
    money = {"threshold_amount", "near_band_share", "near_band_max_amount", "volatile_to_amount"}
    whole = {"tier_rank", "grace_months", "up_lag_months", "watch_misses"}
    flags = {"is_active", "is_private_banking"}
    rows = {}
    for rung in bank.policy("tier_thresholds"):
        row = policies[rung["policy_id"], rung["policy_version"]] | rung
        key = tuple(row.pop(name) for name in KEYS["dim_tier_policies"])
        rows[key] = {
            name: number_or_none(value) if name in money
            else int(value) if name in whole
            else value == "true" if name in flags
            else day_or_none(value) if name == "effective_from"
            else day_or_none(value) or OPEN_END if name == "effective_to"
            else text_or_none(value)
            for name, value in row.items()
        }  # fmt: skip
    return rows
