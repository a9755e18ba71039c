"""Rules 3 to 8: one amount per customer, month and version."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from tier_engine.bank import Amounts, Bank, Month
from tier_engine.groups import household, leader, records, stays
from tier_engine.policy import Version

CENT = 100


def months_after(month: date, count: int) -> date:
    """First day of the month `count` months after (or before) the month of a day."""
    year, number = divmod(month.year * 12 + month.month - 1 + count, 12)
    return date(year, number + 1, 1)


def to_the_cent(amount: Fraction) -> Decimal:
    """Rounded half away from zero."""
    cents = (abs(amount) * CENT * 2 + 1) // 2
    return Decimal(int(cents if amount >= 0 else -cents)) / CENT


def month_of(bank: Bank, month: date) -> Month | None:
    return next((each for each in bank.months if each.first == month), None)


def window(bank: Bank, month: Month, version: Version) -> list[Month]:
    """The months an average is taken of. Rule 8 keeps a month that was not fed from being rated, not out of a quarter."""
    if version.window != "quarter":
        return [month]
    earliest = months_after(month.first, -2)
    return [each for each in bank.months if earliest <= each.first <= month.first]


def divisor(months: list[Month], version: Version) -> int:
    return 30 * len(months) if version.divisor == "fixed_30" else sum(month.days for month in months)


def members(bank: Bank, customer: str, day: date, version: Version) -> set[str]:
    """Whose positions are rated together."""
    return household(bank, customer, day) if version.scope == "household" else records(bank, customer, day)


def _over_days(amounts: Amounts, version: Version) -> Decimal:
    return amounts.home_amount_days if version.scope == "branch" else amounts.amount_days


def _at_the_end(amounts: Amounts, version: Version) -> Decimal:
    return amounts.home_end_amount if version.scope == "branch" else amounts.end_amount


def _assets(bank: Bank, who: set[str], month: Month, version: Version) -> Decimal:
    """The families' amounts, each rounded to the cent after all that goes into it."""
    totals: dict[str, Fraction] = {}
    months = window(bank, month, version)
    for each in months:
        for customer in who:
            for family, amounts in bank.assets.get((customer, each.first), {}).items():
                at_end = version.window == "month_end"
                amount = _at_the_end(amounts, version) if at_end else _over_days(amounts, version)
                weight = version.weight(family) if version.base == "weighted" else Decimal(1)
                share = Fraction(amount) * Fraction(weight) / (1 if at_end else divisor(months, version))
                totals[family] = totals.get(family, Fraction(0)) + share
    return sum((to_the_cent(total) for total in totals.values()), Decimal(0))


def _debt(bank: Bank, who: set[str], month: Month, version: Version) -> Decimal:
    total = Fraction(0)
    months = window(bank, month, version)
    for each in months:
        for customer in who:
            debt = bank.debts.get((customer, each.first))
            if debt and version.window == "month_end":
                total += Fraction(debt.end_amount)
            elif debt:
                total += Fraction(debt.debt_days) / divisor(months, version)
    return to_the_cent(total)


def is_with_the_bank(bank: Bank, customer: str, month: Month) -> bool:
    """In its own right, on at least a day of the month."""
    return any(stay.begin <= month.last and stay.end > month.first for stay in stays(bank, customer))


def rating(bank: Bank, customer: str, month: Month, version: Version) -> Decimal | None:
    """None: not rated, because a feed is missing, or because the record is merged into another on the last day."""
    if not month.is_fed or not is_with_the_bank(bank, customer, month):
        return None
    if leader(bank, customer, month.last) != customer:
        return None
    who = members(bank, customer, month.last, version)
    assets = _assets(bank, who, month, version)
    return assets - _debt(bank, who, month, version) if version.base == "net" else assets
