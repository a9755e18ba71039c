"""Exact rounding, dates and values that stand from a day on."""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction

OPEN_END = date(9999, 12, 31)
OPEN_END_AT = datetime(9999, 12, 31)
ZERO = Decimal(0)
ONE = Decimal(1)


# --- arithmetic and dates ---------------------------------------------------------------------------------------------


def rounded(value: Decimal | Fraction | int, places: int) -> Decimal:
    """Half away from zero, from the exact value."""
    exact = Fraction(value) * 10**places
    whole = abs(exact) + Fraction(1, 2)
    units = whole.numerator // whole.denominator
    return Decimal(units if exact >= 0 else -units).scaleb(-places)


def converted(amount: Decimal, rate: Decimal) -> Decimal:
    """An amount of a day in the reporting currency, to 6 decimals; what is overdrawn counts as zero."""
    if amount <= 0:
        return ZERO
    if rate == 1:
        return amount
    with localcontext() as context:
        context.prec = 60
        return (amount * rate + Decimal("0.0000005")).quantize(Decimal("0.000001"), rounding=ROUND_FLOOR)


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def days_in(month: date) -> int:
    return monthrange(month.year, month.month)[1]


def text_or_none(value: object) -> str | None:
    return None if value is None or value != value or value == "" else str(value)


def day_or_none(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value) if text_or_none(value) else None


def number_or_none(value: object) -> Decimal | None:
    return None if text_or_none(value) is None else Decimal(str(value))


class Dated:
    """Values that each stand from their own day to the next one's."""

    def __init__(self, values: Iterable[tuple[date, object]]) -> None:
        pairs = sorted(values, key=lambda pair: pair[0])
        self.days, self.values = [day for day, _ in pairs], [value for _, value in pairs]

    def on(self, day: date):
        position = bisect_right(self.days, day)
        return self.values[position - 1] if position else None

    def on_or_first(self, day: date):
        return self.values[max(bisect_right(self.days, day) - 1, 0)]
