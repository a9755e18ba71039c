"""Reading the real bank's files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from .arithmetic import ONE, ZERO, Dated, month_of
from .bank import Account, Bank, Position, Spell, Transaction
from .own_acts import Act


def eagle_transactions(data: Path, business_date: date) -> pd.DataFrame:
    """Whole rows of the transaction file up to the business date, re-dated by 20 years; credits positive."""
    text = (data / "berka" / "trans_first_3MiB_TRUNCATED.asc").read_bytes().decode("ascii")
    lines = text.split("\r\n") if "\r\n" in text else text.split("\n")
    rows = [[value.strip('"') for value in line.split(";")] for line in lines[1:-1]]  # the last row is cut
    frame = pd.DataFrame(rows, columns=[name.strip('"') for name in lines[0].split(";")])
    days = pd.to_datetime(frame.date, format="%y%m%d").dt.date
    frame["day"] = [day.replace(year=day.year + 20) for day in days]
    frame["account_id"] = "A" + frame.account_id.str.zfill(8)
    frame["amount"] = frame.amount.map(Decimal)
    frame["signed"] = frame.amount.where(frame.type == "PRIJEM", -frame.amount)
    return frame[frame.day <= business_date]


# By operation, and whether the transaction says what it is for.
CHANNELS = {
    ("VKLAD", False): "branch",
    ("VYBER", False): "branch",
    ("VYBER KARTOU", False): "atm",
    ("VYBER KARTOU", True): "atm",
}


def counterparty_type(row) -> str | None:
    if row.k_symbol in ("UROK", "SANKC. UROK"):
        return "interest"
    if row.k_symbol == "SLUZBY":
        return "fee"
    return "other_bank" if row.operation in ("PREVOD Z UCTU", "PREVOD NA UCET") else None


def clients_as_delivered(bank: Bank, clients: pd.DataFrame) -> dict[str, dict]:
    """The one delivery there is, in the names of the contract."""
    ways = {"mobile": "phone", "email": "email", "address": "address_1"}
    rows = {row["client_id"]: row for row in clients.to_dict("records")}
    return {
        customer: {**known, **{name: rows[customer][way] for name, way in ways.items()}}
        for customer, known in bank.customers.items()
    }


def read_eagle_bank(data: Path, business_date: date) -> Bank:
    """The real bank: an owner holds the whole account, a user none of it; a customer since the first account."""
    received = datetime.combine(business_date + timedelta(days=1), datetime.min.time()).replace(hour=2)
    received = received.replace(tzinfo=ZoneInfo("Europe/Prague")).astimezone(UTC).replace(tzinfo=None)

    def table(name: str) -> pd.DataFrame:
        return pd.read_csv(data / "eagle_bank_crm" / f"completed{name}.csv", dtype=str, keep_default_na=False)

    accounts = table("acct").assign(opened_on=lambda frame: frame.parseddate.map(date.fromisoformat))
    accounts = accounts[accounts.opened_on <= business_date]
    dispositions = table("disposition").merge(accounts[["account_id", "opened_on"]], on="account_id")
    owners = dispositions[dispositions.type == "Owner"].set_index("account_id").client_id.to_dict()
    onboarded = dispositions.groupby("client_id").opened_on.min().to_dict()
    transactions = eagle_transactions(data, business_date)
    nets = transactions.groupby(["account_id", "day"], sort=True).signed.sum()
    positions = []
    for account, owner in owners.items():
        running, day_ends = ZERO, []
        for day, net in nets[account].items() if account in nets.index.get_level_values(0) else ():
            running += net
            day_ends.append((day, running))
        positions.append(Position("ACCOUNT", "CZK", {owner: ONE}, Dated(day_ends), account_id=account))
    fees = transactions[transactions.k_symbol == "SLUZBY"]
    bank = Bank(
        bank="eagle_bank",
        business_date=business_date,
        first_month=month_of(transactions.day.min()),
        spells={client: [Spell(day, None, received, None)] for client, day in onboarded.items()},
        customers={
            row["client_id"]: {
                "region_code": row["state"],
                "gender": row["sex"].lower(),
                "birth_date": row["fulldate"],
                "onboarded_on": onboarded[row["client_id"]],
                "branch_id": row["district_id"],
            }
            for row in table("client").to_dict("records")
            if row["client_id"] in onboarded
        },
        products={},
        positions=positions,
        rates={"CZK": Dated([(date.min, ONE)])},
        accounts={
            row.account_id: Account(owners[row.account_id], row.opened_on, None) for row in accounts.itertuples()
        },
        fees=pd.DataFrame(
            {
                "customer_id": fees.account_id.map(owners),
                "month": fees.day.map(month_of),
                "listed": fees.amount,
                "charged": fees.amount,
            }
        ),
        ratings_known=defaultdict(lambda: received),
        currency="CZK",
        branches=[
            {
                "branch_id": row["district_id"],
                "branch_name": row["city"],
                "region_code": row["state_abbrev"],
                "region_name": row["state_name"],
            }
            for row in table("district").to_dict("records")
        ],
    )
    bank.transactions = [
        Transaction(
            row.trans_id,
            row.account_id,
            row.day,
            row.signed,
            "CZK",
            row.k_symbol.strip() or row.operation or "unspecified",
            CHANNELS.get((row.operation, bool(row.k_symbol.strip())), "system"),
            counterparty_type(row),
            row.bank or None,
            None,  # plain account numbers stay out
            None,
            None,
        )
        for row in transactions.itertuples()
    ]
    bank.persons = dispositions.groupby("account_id").client_id.apply(set).to_dict()
    bank.acts = list(read_complaints(data))
    bank.traits = {
        customer: Dated([(date.min, (date.fromisoformat(row["birth_date"]), None, None, None))])
        for customer, row in bank.customers.items()
    }
    bank.customer_deliveries = {business_date: clients_as_delivered(bank, table("client"))}
    bank.products = {
        row["product_id"]: {**row, "counts_in_aum": row["counts_in_aum"] == "true"}
        for row in bank.policy("bank_products")
    }
    return bank


def read_complaints(data: Path) -> Iterator[Act]:
    """Complaints by the day they were received; a call that is none names no customer."""
    complaints = pd.read_csv(
        data / "eagle_bank_crm" / "crm_events.csv", dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )
    for row in complaints.itertuples():
        day = datetime.strptime(row.date_received, "%d-%m-%Y").date()
        yield Act(f"C{row.client_id.zfill(8)}", day, "service_request", row.submitted_via.lower(), row.product)
