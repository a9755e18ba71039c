"""Reading the reference bank's files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd

from .arithmetic import ONE, OPEN_END, Dated, day_or_none, month_of, number_or_none
from .bank import Account, Bank, Loan, Merge, Position, Spell
from .reference_events import read_activities, read_orders, read_payrolls, read_relations, read_transactions
from .reference_files import latest, read_deliveries


def spells_of(customers: pd.DataFrame) -> dict[str, list[Spell]]:
    """Every opening date that any delivery named, each with the last closing date named for it; a closing that is taken back ends
    a spell, and another begins on that day."""
    spells = {}
    for customer, rows in customers.groupby("customer_id", sort=True):
        found: dict[tuple[date, int], Spell] = {}
        part: dict[date, int] = defaultdict(int)
        for row in rows.sort_values("delivered").itertuples():
            opened, ends = date.fromisoformat(row.onboarded_on), day_or_none(row.closed_on)
            known = found.get((opened, part[opened]))
            if known and known.ends and not ends:
                part[opened] += 1
                known = None
            starts = known.starts if known else opened if not part[opened] else row.delivered
            end_known = known.end_known if known and known.ends else row.sent_at if ends else None
            found[opened, part[opened]] = Spell(starts, ends, known.start_known if known else row.sent_at, end_known)
        kept = [spell for (_, number), spell in found.items() if not number or (spell.ends or OPEN_END) > spell.starts]
        spells[customer] = sorted(kept, key=lambda spell: spell.starts)
    return spells


def read_reference_bank(root: Path, business_date: date) -> Bank:
    customers = read_deliveries(root, "core", "customers")
    customers = customers[customers.customer_type == "personal"]  # the marts are of people
    accounts = latest(read_deliveries(root, "core", "accounts"))
    balances = read_deliveries(root, "core", "balances")
    holdings = read_deliveries(root, "wealth", "holdings")
    holders = defaultdict(dict)
    for row in latest(read_deliveries(root, "core", "account_holders")):
        holders[row["account_id"]][row["customer_id"]] = Decimal(row["share_fraction"])

    # Months come from the day; the deliveries that decide a month are those whose rows lie in it.
    ratings_known: dict[date, datetime] = {}
    for frame, column in ((balances, "balance_date"), (holdings, "holding_date")):
        for month, moment in zip(frame[column].map(day_or_none).map(month_of), frame.sent_at, strict=True):
            ratings_known[month] = max(ratings_known.get(month, datetime.min), moment.to_pydatetime())

    positions = [*account_positions(accounts, balances, holders), *holding_positions(holdings)]
    rates = defaultdict(list)
    for row in read_deliveries(root, "reference", "fx_rates").itertuples():
        rates[row.currency_code].append((date.fromisoformat(row.rate_date), Decimal(row.cny_per_unit)))

    fees = read_deliveries(root, "core", "fees")
    branches = latest(read_deliveries(root, "reference", "branches"))
    prices = defaultdict(list)
    for row in latest(read_deliveries(root, "finance", "ftp_rates")):
        key = row["product_family"], int(row["tenor_days"]), row["currency_code"]
        prices[key].append((date.fromisoformat(row["effective_on"]), Decimal(row["rate"])))

    return Bank(
        bank="reference_bank",
        business_date=business_date,
        first_month=min(ratings_known),
        spells=spells_of(customers),
        merges=read_merges(root, spells_of(customers)),
        customers={row["customer_id"]: row for row in latest(customers)},
        products={row["product_id"]: row for row in latest(read_deliveries(root, "wealth", "products"))},
        positions=positions,
        rates={currency: Dated(pairs) for currency, pairs in rates.items()},
        accounts={
            row["account_id"]: Account(
                row["customer_id"],
                date.fromisoformat(row["opened_on"]),
                day_or_none(row["closed_on"]),
                row["branch_id"],
            )
            for row in accounts
        },
        fees=pd.DataFrame(
            {
                "customer_id": fees.customer_id,
                "account_id": fees.account_id,
                "month": fees.fee_date.map(date.fromisoformat).map(month_of),
                "listed": fees.list_amount.map(Decimal),
                "charged": fees.charged_amount.map(Decimal),
            }
        ),
        ratings_known=ratings_known,
        branches=branches,
        calendar={
            date.fromisoformat(row["calendar_date"]): (row["is_business_day"] == "true", row["holiday_name"] or None)
            for row in latest(read_deliveries(root, "reference", "calendar"))
        },
        managers={
            row["customer_id"]: row["rm_id"]
            for row in latest(read_deliveries(root, "crm", "rm_assignments"))
            if row["assignment_role"] == "primary"
            and date.fromisoformat(row["valid_from"]) <= business_date
            and (day_or_none(row["valid_to"]) or OPEN_END) > business_date
        },
        assignments=read_assignments(root),
        payrolls=read_payrolls(root, accounts),
        transactions=read_transactions(root),
        orders=read_orders(root),
        institutions={row["institution_id"] for row in latest(read_deliveries(root, "reference", "institutions"))},
        **read_relations(root),
        traits=read_traits(customers),
        customer_deliveries={
            day: {row["customer_id"]: row for row in rows.to_dict("records")}
            for day, rows in customers.groupby("delivered")
        },
        assignment_deliveries={
            day: rows.to_dict("records")
            for day, rows in read_deliveries(root, "crm", "rm_assignments").groupby("delivered")
        },
        navs=read_navs(root),
        loans=read_loans(read_deliveries(root, "core", "loans")),
        transfer_prices={key: Dated(pairs) for key, pairs in prices.items()},
        activities=read_activities(root, accounts, customers),
        ledger=read_ledger(root),
        unit_costs={
            (row["activity"], row["channel"], date.fromisoformat(row["month"])): (
                Decimal(row["full_unit_cost"]),
                Decimal(row["avoidable_unit_cost"]),
            )
            for row in latest(read_deliveries(root, "finance", "unit_costs"))
        },
        perks=[
            (
                row["customer_id"],
                date.fromisoformat(row["joined_on"]),
                day_or_none(row["left_on"]),
                Decimal(row["cost_amount"]),
            )
            for row in latest(read_deliveries(root, "crm", "programmes"))
        ],
    )


def read_traits(customers: pd.DataFrame) -> dict[str, Dated]:
    found = defaultdict(list)
    for row in customers.itertuples():
        traits = (
            day_or_none(row.birth_date),
            row.city_tier,
            row.occupation_code,
            number_or_none(row.declared_wealth_amount),
        )
        found[row.customer_id].append((row.delivered, traits))
    return {customer: Dated(pairs) for customer, pairs in found.items()}


def read_navs(root: Path) -> dict[str, dict[date, list[Decimal]]]:
    navs = defaultdict(lambda: defaultdict(list))
    for row in read_deliveries(root, "wealth", "navs").itertuples():
        navs[row.product_id][month_of(day_or_none(row.nav_date))].append(Decimal(row.nav))
    return navs


def read_merges(root: Path, spells: dict[str, list[Spell]]) -> dict[str, Merge]:
    """Of two records of one person the one onboarded later is merged into the other."""
    links = read_deliveries(root, "core", "customer_links")
    merges = {}
    for pair, rows in links[links.link_type == "same_person"].groupby(["customer_id", "linked_customer_id"]):
        into, customer = sorted(pair, key=lambda one: (spells[one][0].starts, one))
        first, last = rows.iloc[0], rows.iloc[-1]
        merges[customer] = Merge(
            into, day_or_none(last.valid_from), day_or_none(last.valid_to), first.sent_at.to_pydatetime()
        )
    return merges


def account_positions(accounts: list[dict], balances: pd.DataFrame, holders: dict) -> Iterator[Position]:
    """An account keeps its last balance until its next one, or until the day it is closed."""
    of_account = dict(list(balances.groupby("account_id")))
    for account in accounts:
        day_ends, averages = [], {}
        closed_on = day_or_none(account["closed_on"])
        for row in of_account[account["account_id"]].itertuples() if account["account_id"] in of_account else ():
            day, amount = date.fromisoformat(row.balance_date), Decimal(row.balance_amount)
            if row.balance_basis == "monthly_average":
                averages[month_of(day)] = amount
            elif closed_on is None or day < closed_on:
                day_ends.append((day, amount))
        if closed_on:
            day_ends.append((closed_on, None))
        yield Position(
            account["product_id"],
            account["currency_code"],
            holders[account["account_id"]],
            Dated(day_ends),
            averages,
            account["account_id"],
        )


def holding_positions(holdings: pd.DataFrame) -> Iterator[Position]:
    """Each date's rows are the whole of what is held: a holding ends with the next date that does not name it."""
    holdings = holdings.assign(day=holdings.holding_date.map(day_or_none))
    day_end_rows = holdings[holdings.balance_basis == "end_of_day"]
    dates = sorted(day_end_rows.day.unique())
    for (customer, product), rows in holdings.groupby(["customer_id", "product_id"]):
        is_average = rows.balance_basis == "monthly_average"
        named = {row.day: Decimal(row.market_value_amount) for row in rows[~is_average].itertuples()}
        averages = {month_of(row.day): Decimal(row.market_value_amount) for row in rows[is_average].itertuples()}
        currency = rows.currency_code.iloc[0]
        units = {row.day: Decimal(str(row.units)) for row in rows[~is_average].itertuples()}
        yield Position(
            product,
            currency,
            {customer: ONE},
            Dated([(day, named.get(day)) for day in dates]),
            averages,
            units=Dated([(day, units.get(day)) for day in dates]),
        )


def read_loans(rows: pd.DataFrame) -> list[Loan]:
    dates = sorted(rows.loan_date.unique())
    loans = []
    for _, states in rows.groupby("loan_id"):
        named = {
            row.loan_date: tuple(
                Decimal(value) for value in (row.outstanding_amount, row.probability_of_default, row.loss_given_default)
            )
            for row in states.itertuples()
        }
        first = states.iloc[0]
        loans.append(
            Loan(
                first.customer_id,
                first.product_id,
                first.currency_code,
                Decimal(first.interest_rate),
                date.fromisoformat(first.opened_on),
                day_or_none(first.matures_on),
                Dated([(date.fromisoformat(day), named.get(day)) for day in dates]),
            )
        )
    return loans


def read_assignments(root: Path) -> dict[str, list[tuple[date, date | None, str]]]:
    found = defaultdict(list)
    for row in latest(read_deliveries(root, "crm", "rm_assignments")):
        if row["assignment_role"] == "primary":
            span = date.fromisoformat(row["valid_from"]), day_or_none(row["valid_to"])
            found[row["customer_id"]].append((*span, row["rm_id"]))
    return dict(found)


def read_ledger(root: Path) -> dict[date, dict[tuple[str, str, str], Decimal]]:
    ledger = defaultdict(dict)
    for row in read_deliveries(root, "finance", "ledger_balances").itertuples():
        place = row.ledger_code, row.branch_id, row.currency_code
        ledger[date.fromisoformat(row.ledger_date)][place] = Decimal(row.balance_amount)
    return dict(ledger)
