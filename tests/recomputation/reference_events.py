"""Reading what happened at the reference bank: transactions, orders, contacts and what came of them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd

from .arithmetic import day_or_none, month_of
from .bank import Order, Transaction
from .own_acts import Act
from .reference_files import in_force, latest, read_deliveries


def read_payrolls(root: Path, accounts: list[dict]) -> dict[tuple[str, date], Decimal]:
    """Salaries by owner of the account and month; they are paid in the reporting currency."""
    owner = {row["account_id"]: row["customer_id"] for row in accounts}
    transactions = read_deliveries(root, "core", "transactions")
    salaries = transactions[(transactions.counterparty_type == "payroll") & (transactions.direction == "credit")]
    assert set(salaries.currency_code) == {"CNY"}
    found = defaultdict(Decimal)
    for row in salaries.itertuples():
        month = month_of(date.fromisoformat(row.transaction_date))
        found[owner[row.account_id], month] += abs(Decimal(row.amount))
    return dict(found)


def read_transactions(root: Path) -> list[Transaction]:
    return [
        Transaction(
            row.transaction_id,
            row.account_id,
            date.fromisoformat(row.transaction_date),
            abs(Decimal(row.amount)) * (1 if row.direction == "credit" else -1),
            row.currency_code,
            row.transaction_type,
            row.channel or None,
            row.counterparty_type or None,
            row.counterparty_institution_id or None,
            row.counterparty_name_token or None,
            {"true": True, "false": False, "": None}[row.is_own_name],
            row.reversal_of or None,
        )
        for row in read_deliveries(root, "core", "transactions").itertuples()
    ]


def read_orders(root: Path) -> list[Order]:
    """Only what is bought or redeemed here moves what is held."""
    signs = {"buy": 1, "redeem": -1}
    return [
        Order(
            row.customer_id,
            row.product_id,
            day_or_none(row.order_date),
            row.side,
            signs[row.side] * Decimal(str(row.units)),
            signs[row.side] * Decimal(str(row.amount)),
            row.currency_code,
        )
        for row in read_deliveries(root, "wealth", "orders").itertuples()
    ]


def read_relations(root: Path) -> dict:
    """Contacts, service requests and answered surveys, by the day of their timestamp as it stands; who is named on an account; prospects."""
    contacts = read_deliveries(root, "crm", "contacts").to_dict("records")
    requests = in_force(read_deliveries(root, "crm", "service_requests"), "request_id")
    answers = in_force(read_deliveries(root, "crm", "surveys"), "response_id", "question_code")
    acts = [
        Act(
            row["customer_id"],
            day_or_none(row["contacted_at"][:10]),
            "contact",
            row["channel"],
            row["purpose"],
            row["outcome"] or None,
        )
        for row in contacts
    ]
    acts += [
        Act(row["customer_id"], day_or_none(row["opened_at"][:10]), "service_request", row["channel"], row["category"])
        for row in requests
    ]
    acts += [
        Act(row["customer_id"], day_or_none(row["answered_at"][:10]), "survey", None, row["survey_type"])
        for row in answers
        if row["answered_at"]
    ]
    persons = defaultdict(set)
    for row in latest(read_deliveries(root, "core", "account_holders")):
        persons[row["account_id"]].add(row["customer_id"])
    prospects: dict[str, date] = {}
    for row in in_force(read_deliveries(root, "crm", "prospects"), "prospect_id"):
        if row["converted_customer_id"]:
            created, customer = day_or_none(row["created_at"][:10]), row["converted_customer_id"]
            prospects[customer] = min(created, prospects.get(customer, created))
    return {"acts": acts, "persons": dict(persons), "prospects": prospects}


def read_activities(root: Path, accounts: list[dict], customers: pd.DataFrame) -> pd.DataFrame:
    """Transactions by their business day, contacts by their timestamp as it stands."""
    owner = {row["account_id"]: row["customer_id"] for row in accounts}
    branch = {row["account_id"]: row["branch_id"] for row in accounts}
    home = {row["customer_id"]: row["branch_id"] for row in latest(customers)}
    transactions = read_deliveries(root, "core", "transactions")
    contacts = read_deliveries(root, "crm", "contacts")
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "customer_id": transactions.account_id.map(owner),
                    "branch_id": transactions.account_id.map(branch),
                    "month": transactions.transaction_date.map(date.fromisoformat).map(month_of),
                    "activity": "transaction",
                    "channel": transactions.channel,
                }
            ),
            pd.DataFrame(
                {
                    "customer_id": contacts.customer_id,
                    "branch_id": contacts.customer_id.map(home),
                    "month": contacts.contacted_at.str[:10].map(date.fromisoformat).map(month_of),
                    "activity": "contact",
                    "channel": contacts.channel,
                }
            ),
        ],
        ignore_index=True,
    )
