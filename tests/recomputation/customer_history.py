"""A customer's history day by day, and what the customer database knows at month ends, by definition."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction

from .arithmetic import OPEN_END, OPEN_END_AT, day_or_none, next_month, rounded, text_or_none
from .bank import Bank

STATED = ("region_code", "city_tier", "gender", "occupation_code", "industry_code", "risk_rating", "branch_id")
EXPECTED = (*STATED, "age_band")
COUNTED = (
    *("gender", "birth_date", "region_code", "city_tier", "occupation_code", "industry_code", "education"),
    *("marital_status", "risk_rating", "declared_wealth_amount", "branch_id", "consent_marketing"),
    *("mobile", "email", "address"),
)
AGELESS = ("gender", "birth_date", "mobile", "email", "address")


class Book:
    """What the deliveries said of one customer."""

    def __init__(self, bank: Bank, customer: str) -> None:
        self.dates = sorted(bank.customer_deliveries)
        self.named = [day for day in self.dates if customer in bank.customer_deliveries[day]]
        self.rows = [bank.customer_deliveries[day][customer] for day in self.named]
        self.stated = [{name: text_or_none(row.get(name)) for name in STATED} for row in self.rows]
        self.born = [day_or_none(row["birth_date"]) for row in self.rows]

    def place(self, day: date) -> int:
        """Which delivery that names the customer was the last by then; before any of them, the first."""
        return max(bisect_right(self.named, day) - 1, 0)

    def on(self, day: date) -> dict:
        return self.rows[self.place(day)]

    def is_listed(self, day: date) -> bool:
        """Whether the last delivery by then, of any customer, is the one that names this one."""
        return day < self.named[0] or self.dates[bisect_right(self.dates, day) - 1] == self.named[self.place(day)]


def managers(bank: Bank) -> dict[str, list[tuple]]:
    """Every primary assignment ever named: first and last day (exclusive), manager, and the delivery that named it last."""
    dates, last = sorted(bank.assignment_deliveries), {}
    for day in dates:
        for row in bank.assignment_deliveries[day]:
            if row["assignment_role"] == "primary":
                last[row["customer_id"], row["rm_id"], row["valid_from"]] = day, row["valid_to"]
    found = defaultdict(list)
    for (customer, manager, starts), (named, ends) in last.items():
        dropped = next((day for day in dates if day > named), OPEN_END)
        found[customer].append(
            (date.fromisoformat(starts), min(day_or_none(ends) or OPEN_END, dropped), manager, named)
        )
    return found


def first_record(bank: Bank, customer: str, day: date) -> str | None:
    merge = bank.merges.get(customer)
    return merge.into if merge and merge.holds_on(day) else None


def days_of(bank: Bank, history: dict, customer: str, assigned: list[tuple]) -> Iterator[tuple[date, dict]]:
    """What holds of a customer on each day, from the first with the bank to the business date."""
    book, spells = Book(bank, customer), bank.spells[customer]
    tiers = [
        (start, row["valid_to"], row["tier_code"])
        for (of, start, _), row in history.items()
        if of == customer and row["known_to"] == OPEN_END_AT
    ]
    day = spells[0].starts
    while day <= bank.business_date:
        place = book.place(day)
        spell = [spell for spell in spells if spell.starts <= day][-1]
        row = book.stated[place]
        held = [part for part in assigned if part[0] <= day < part[1]]
        band = bank.age_band_on(book.born[place], day)
        yield (
            day,
            {
                **row,
                "is_listed": book.is_listed(day),
                "tier_code": next((tier for start, end, tier in tiers if start <= day < end), None),
                "age_band": band and band["age_band"],
                "is_founder_generation": band and band["is_founder_generation"] == "true",
                "onboarded_on": spell.starts,
                "closed_on": spell.ends if spell.ends and spell.ends <= day else None,
                "primary_rm_id": min(held, key=lambda part: (-part[0].toordinal(), -part[3].toordinal(), part[2]))[2]
                if held
                else None,
                "is_cautious": bank.is_cautious_on(row["risk_rating"], day),
                "first_record": first_record(bank, customer, day),
            },
        )
        day += timedelta(days=1)


def customers_history(bank: Bank, history: dict, tokens: dict[str, str]) -> dict[tuple[str, date], dict]:
    assigned, rows = managers(bank), {}
    of_customer = defaultdict(dict)
    for key, row in history.items():
        of_customer[key[0]][key] = row
    for customer in bank.spells:
        start = before = None
        for day, said in days_of(bank, of_customer[customer], customer, assigned.get(customer, [])):
            if said != before:
                if start:
                    rows[customer, start]["valid_to"] = day
                start, before = day, said
                rows[customer, day] = told(customer, said, tokens)
        if start:
            rows[customer, start]["valid_to"] = OPEN_END
    return rows


def told(customer: str, said: dict, tokens: dict[str, str]) -> dict:
    said = dict(said)
    first = said.pop("first_record")
    filled = sum(said[name] is not None for name in EXPECTED)
    return said | {
        "is_county": said["city_tier"] and said["city_tier"] == "county",
        "is_sole_proprietor": said["occupation_code"] and said["occupation_code"] == "self_employed",
        "is_merged_record": first is not None,
        "first_record_key": tokens[first or customer],
        "attributes_filled": filled,
        "attributes_expected": len(EXPECTED),
        "completeness_ratio": rounded(Fraction(filled, len(EXPECTED)), 6),
    }


def stands_since(bank: Bank, customer: str, book: Book, attribute: str, end: date) -> date | None:
    """The day since which the value of a month's end stands, going back delivery by delivery."""

    def value(row: dict) -> tuple:
        renewed = row.get("risk_rating_expires_on") if attribute == "risk_rating" else None
        return text_or_none(row.get(attribute)), text_or_none(renewed)

    row = book.on(end)
    if attribute in AGELESS or value(row)[0] is None:
        return None
    if attribute == "consent_marketing":
        given = text_or_none(row.get("consent_updated_at"))
        return given and datetime.fromisoformat(given.replace("Z", "")).date()
    since = None
    for day, said in reversed([pair for pair in zip(book.named, book.rows, strict=True) if pair[0] <= end]):
        if value(said) != value(row):
            break
        since = day
    first_day = bank.spells[customer][0].starts
    return first_day if since in (None, book.named[0]) else max(since, first_day)


def data_completeness(bank: Bank) -> dict[tuple[date, str], dict]:
    first, rows = min(bank.customer_deliveries), {}
    books = {customer: Book(bank, customer) for customer in bank.spells}
    for month in bank.months:
        end = min(next_month(month) - timedelta(days=1), bank.business_date)
        here = [
            customer
            for customer, spells in bank.spells.items()
            if end >= first and any(spell.runs_on(end) for spell in spells) and books[customer].is_listed(end)
        ]
        for attribute in COUNTED if here else ():
            filled = sum(text_or_none(books[customer].on(end).get(attribute)) is not None for customer in here)
            since = [stands_since(bank, customer, books[customer], attribute, end) for customer in here]
            ages = sorted((end - day).days for day in since if day)
            rows[month, attribute] = {
                "customers": len(here),
                "filled": filled,
                "completeness_ratio": rounded(Fraction(filled, len(here)), 6),
                "freshness_days": ages[(len(ages) - 1) // 2] if ages else None,
            }
    return rows
