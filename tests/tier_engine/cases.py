"""Small banks for cases worked by hand: a customer's days with their amounts, or straight the ratings of its months."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from tier_engine.bank import END_OF_TIME, Amounts, Bank, Debt, Link, Month, Spell
from tier_engine.decisions import Rater
from tier_engine.history import FOREVER, history_of
from tier_engine.policy import Ladder, Tier, Version
from tier_engine.ratings import months_after

JANUARY = date(2026, 1, 1)
LONG_AGO = date(2020, 1, 1)
LADDER = (
    Tier("mass", 1, Decimal(0)),
    Tier("gold", 2, Decimal(50_000)),
    Tier("wealth", 3, Decimal(500_000)),
    Tier("private", 4, Decimal(6_000_000)),
)


def tiers(*graces: int) -> tuple[Tier, ...]:
    """The ladder of the cases with grace months: one number for all, or one for each."""
    each = graces * len(LADDER) if len(graces) == 1 else graces
    return tuple(Tier(t.code, t.rank, t.threshold, grace) for t, grace in zip(LADDER, each, strict=True))


def version(name: str = "v1", begins: date = LONG_AGO, graces: tuple[int, ...] = (0,), **settings) -> Version:
    return Version(name, begins, settings.pop("tiers", tiers(*graces)), **settings)


def ladder(*versions: Version, **settings) -> Ladder:
    return Ladder(versions or (version(**settings),))


def night(day: date) -> datetime:
    """When the deliveries of a day are received."""
    return datetime(day.year, day.month, day.day, 22)


def month(first: date, fed: bool = True, until: date | None = None, known_at: datetime | None = None) -> Month:
    over = months_after(first, 1) - timedelta(days=1)
    last = until or over
    return Month(first, last, last.day, last == over, fed, known_at or night(last))


def year(count: int = 12, first: date = JANUARY, unfed: Iterable[int] = ()) -> list[Month]:
    """Months in a row; `unfed` by their place, from 1."""
    return [month(months_after(first, place), fed=place + 1 not in set(unfed)) for place in range(count)]


def spell(begin: date = LONG_AGO, end: date = END_OF_TIME) -> Spell:
    return Spell(begin, end, night(begin), night(end) if end != END_OF_TIME else None)


def link(one: str, other: str, kind: str, begin: date = LONG_AGO, end: date = END_OF_TIME) -> Link:
    return Link(one, other, kind, begin, end)


def bank(months: list[Month], customers: dict[str, list[Spell]] | None = None, **settings) -> Bank:
    as_of = settings.pop("as_of", date(2027, 6, 30))
    return Bank(as_of, months, customers or {"c": [spell()]}, **settings)


def hold(
    bank: Bank,
    amount: int | str | Callable[[date], Decimal],
    customer: str = "c",
    family: str = "deposit",
    share: str = "1",
    home: str = "1",
) -> Bank:
    """The customer holds an amount day by day, `share` of it its own, `home` of that at the home branch."""
    for each in bank.months:
        days = [each.first + timedelta(days=n) for n in range(each.days)]
        here = [any(s.begin <= day < s.end for s in bank.spells[customer]) for day in days]
        each_day = [
            Decimal(share) * (amount(day) if callable(amount) else Decimal(amount)) if there else Decimal(0)
            for day, there in zip(days, here, strict=True)
        ]
        total, end = sum(each_day, Decimal(0)), each_day[-1]
        families = bank.assets.setdefault((customer, each.first), {})
        families[family] = Amounts(total, end, total * Decimal(home), end * Decimal(home))
    return bank


def owe(bank: Bank, amount: int, customer: str = "c") -> Bank:
    for each in bank.months:
        bank.debts[customer, each.first] = Debt(Decimal(amount) * each.days, Decimal(amount))
    return bank


def given(*amounts: int | None) -> Rater:
    """Ratings of the months from January 2026 on, by whatever version; None: not rated."""
    by_month = {months_after(JANUARY, place): amount for place, amount in enumerate(amounts)}

    def rate(_: Bank, __: str, month: Month, ___: Version) -> Decimal | None:
        amount = by_month.get(month.first)
        return None if amount is None or not month.is_fed else Decimal(amount)

    return rate


def told(rows: list) -> list[tuple[str, str | None, str]]:
    """The history believed now: (first day, tier, reason)."""
    return [
        (str(row.interval.valid_from), row.interval.tier_code, row.interval.reason)
        for row in rows
        if row.known_to == FOREVER
    ]


def walk(ladder: Ladder, *amounts: int | None, at: Bank | None = None) -> list[tuple[str, str | None, str]]:
    """The history now of an old customer with these ratings from January 2026 on."""
    return told(history_of(at or bank(year(len(amounts))), ladder, "c", given(*amounts)))
