"""What a bank is: its customers, positions, prices and policy, however it writes them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pandas as pd

from crm_warehouse.settings import PROJECT

from .arithmetic import Dated, days_in, month_of, next_month


@dataclass(frozen=True)
class Spell:
    """A relationship from its first day to the day it ended (exclusive), and when each of the two became known."""

    starts: date
    ends: date | None
    start_known: datetime
    end_known: datetime | None

    def runs_on(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


@dataclass(frozen=True)
class Merge:
    """A second record of a person, counted with `into` from its first day to the day it is apart again (exclusive)."""

    into: str
    starts: date
    ends: date | None
    known: datetime

    def holds_on(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


@dataclass
class Position:
    """An account, or a customer's holding of one product: amounts by day end, and the averages the bank states."""

    product_id: str
    currency: str
    holders: dict[str, Decimal]
    day_ends: Dated  # None from the day on which it is no longer held
    averages: dict[date, Decimal] = field(default_factory=dict)
    account_id: str | None = None
    units: Dated | None = None

    def amount_on(self, day: date) -> Decimal | None:
        return self.averages[month_of(day)] if month_of(day) in self.averages else self.day_ends.on(day)


@dataclass
class Account:
    customer_id: str
    opened_on: date
    closed_on: date | None
    branch_id: str | None = None


@dataclass
class Loan:
    customer_id: str
    product_id: str
    currency: str
    interest_rate: Decimal
    opened_on: date
    matures_on: date | None
    states: Dated  # (outstanding, probability of default, loss given default), or None once repaid

    def state_on(self, day: date) -> tuple | None:
        """As last stated until it matures; as first stated from its opening on, in the month of that statement."""
        if self.matures_on and day >= self.matures_on:
            return None
        first, state = next(
            (day, state) for day, state in zip(self.states.days, self.states.values, strict=True) if state
        )
        return state if max(self.opened_on, month_of(first)) <= day < first else self.states.on(day)


@dataclass(frozen=True)
class Transaction:
    """One posting, in money that comes in (+) or goes out (-), in the currency of its account."""

    transaction_id: str
    account_id: str
    day: date
    amount: Decimal
    currency: str
    transaction_type: str
    channel: str | None
    counterparty_type: str | None
    institution_id: str | None
    name_token: str | None
    is_own_name: bool | None
    reversal_of: str | None


@dataclass(frozen=True)
class Order:
    """One trade in a product, in money that goes into what is held (+) or comes out of it (-); units likewise."""

    customer_id: str
    product_id: str
    day: date
    side: str
    units: Decimal | None
    amount: Decimal
    currency: str


@dataclass
class Bank:
    bank: str
    business_date: date
    first_month: date
    spells: dict[str, list[Spell]]
    customers: dict[str, dict]
    products: dict[str, dict]
    positions: list[Position]
    rates: dict[str, Dated]
    accounts: dict[str, Account]
    fees: pd.DataFrame  # customer_id, account_id, month, listed, charged
    ratings_known: dict[date, datetime]
    branches: list[dict]
    calendar: dict[date, tuple[bool, str | None]] | None = None
    managers: dict[str, str] = field(default_factory=dict)
    assignments: dict[str, list[tuple[date, date | None, str]]] = field(default_factory=dict)  # from, to, manager
    payrolls: dict[tuple[str, date], Decimal] = field(default_factory=dict)  # by customer and month
    merges: dict[str, Merge] = field(default_factory=dict)  # by the record that is merged into another
    loans: list[Loan] | None = None
    transfer_prices: dict[tuple[str, int, str], Dated] | None = None
    activities: pd.DataFrame | None = None  # customer_id, branch_id, month, activity, channel
    unit_costs: dict[tuple[str, str, date], tuple[Decimal, Decimal]] | None = None
    traits: dict[str, Dated] = field(default_factory=dict)  # birth date, city tier, occupation, declared wealth
    navs: dict[str, dict[date, list[Decimal]]] = field(default_factory=dict)  # by product and month
    perks: list[tuple[str, date, date | None, Decimal]] | None = None
    ledger: dict[date, dict[tuple[str, str, str], Decimal]] | None = None  # line, branch, currency: balance of the day
    transactions: list[Transaction] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    institutions: set[str] = field(default_factory=set)  # of the latest delivery of the bank's table
    acts: list = field(default_factory=list)  # own_acts.Act: contacts, service requests, answered surveys
    persons: dict[str, set[str]] = field(default_factory=dict)  # named on each account, with a share or without
    prospects: dict[str, date] = field(default_factory=dict)  # by the customer they became: the first day recorded
    currency: str = "CNY"
    customer_deliveries: dict[date, dict[str, dict]] = field(default_factory=dict)  # by date and customer
    assignment_deliveries: dict[date, list[dict]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._bands: dict[date, list[dict]] = {}
        self._cautious: dict[date, int] = {}

    @property
    def months(self) -> list[date]:
        months = [self.first_month]
        while next_month(months[-1]) <= self.business_date:
            months.append(next_month(months[-1]))
        return months

    def days(self, month: date) -> list[date]:
        """Days of a month; of a month in progress, the days so far."""
        days = [month + timedelta(days=number) for number in range(days_in(month))]
        return [day for day in days if day <= self.business_date]

    def policy(self, name: str) -> list[dict]:
        frame = pd.read_csv(
            PROJECT / "dbt_project" / "banks" / self.bank / "policy" / f"{name}.csv", dtype=str, keep_default_na=False
        )
        return frame.to_dict("records")

    def parameter(self, name: str) -> Decimal:
        rows = [(date.fromisoformat(row["effective_from"]), row["value"]) for row in self.policy("policy_parameters")
                if row["parameter"] == name]  # fmt: skip
        return Decimal(Dated(rows).on(self.business_date))

    def age_band_on(self, born: date | None, day: date) -> dict | None:
        """By years completed, in the list of bands of that day; the first list also names the days before it."""
        if born is None:
            return None
        if not self._bands:
            for row in self.policy("age_bands"):
                self._bands.setdefault(date.fromisoformat(row["effective_from"]), []).append(row)
        listed = max((start for start in self._bands if start <= day), default=min(self._bands))
        age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        found = [row for row in self._bands[listed] if int(row["age_from"]) <= age <= int(row["age_to"])]
        return found[0] if found else None

    def is_cautious_on(self, risk_rating: str | None, day: date) -> bool | None:
        if risk_rating is None:
            return None
        if not self._cautious:
            self._cautious.update(
                (date.fromisoformat(row["effective_from"]), int(row["value"]))
                for row in self.policy("policy_parameters")
                if row["parameter"] == "cautious_risk_class_max"
            )
        decided = max((start for start in self._cautious if start <= day), default=min(self._cautious))
        return int(risk_rating.removeprefix("C")) <= self._cautious[decided]

    def manager_on(self, customer: str, day: date) -> str | None:
        """The primary manager of a day; of several the one assigned last."""
        found = [part for part in self.assignments.get(customer, ()) if part[0] <= day and (part[1] or date.max) > day]
        return min(found, key=lambda part: (-part[0].toordinal(), part[2]))[2] if found else None

    @property
    def tier_spells(self) -> dict[str, list[Spell]]:
        """Spells less the days on which the record is merged into another (the banks here never part them again)."""
        cut = {}
        for customer, spells in self.spells.items():
            merge = self.merges.get(customer)
            if merge:
                assert merge.ends is None
                spells = [
                    replace(spell, ends=merge.starts, end_known=merge.known) if spell.runs_on(merge.starts) else spell
                    for spell in spells
                    if spell.starts < merge.starts
                ]
            cut[customer] = spells
        return cut

    def customer_months(self, of: dict[str, list[Spell]] | None = None) -> dict[tuple[str, date], bool]:
        """Months in which a customer was with the bank at least a day, and whether the month is partial."""
        found = {}
        for month in self.months:
            days = self.days(month)
            for customer, spells in (of or self.spells).items():
                present = sum(any(spell.runs_on(day) for spell in spells) for day in days)
                if present:
                    found[customer, month] = present < days_in(month)
        return found
