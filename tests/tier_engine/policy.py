"""Rules 1 and 2: ladders of tiers, their versions, and which tier an amount reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

REVIEWS = {"monthly": range(1, 13), "quarterly": (3, 6, 9, 12), "half_yearly": (6, 12), "yearly": (12,)}


@dataclass(frozen=True)
class Tier:
    code: str
    rank: int
    threshold: Decimal
    grace: int = 0


@dataclass(frozen=True)
class Version:
    """One version of a ladder; `tiers` from the lowest up."""

    name: str
    effective_from: date
    tiers: tuple[Tier, ...]
    effective_to: date | None = None
    base: str = "total"
    window: str = "month"
    divisor: str = "calendar"
    scope: str = "bank"
    up_lag: int = 1
    landing: str = "last"
    calendar: str = "monthly"
    weights: tuple[tuple[str, Decimal], ...] = field(default=())

    @property
    def lowest(self) -> Tier:
        return self.tiers[0]

    def tier(self, code: str) -> Tier:
        return next(tier for tier in self.tiers if tier.code == code)

    def reached(self, amount: Decimal) -> Tier:
        """A tier is reached at its threshold; the lowest takes what is below, too."""
        return max((tier for tier in self.tiers if tier.threshold <= amount), key=lambda t: t.rank, default=self.lowest)

    def weight(self, family: str) -> Decimal:
        return dict(self.weights).get(family, Decimal(1))

    def reviews(self, month: date) -> bool:
        return month.month in REVIEWS[self.calendar]


@dataclass(frozen=True)
class Ladder:
    """Versions in the order in which they came into force."""

    versions: tuple[Version, ...]

    def in_force(self, day: date) -> Version | None:
        begun = [version for version in self.versions if version.effective_from <= day]
        if not begun:
            return None
        ended = len(begun) == len(self.versions) and begun[-1].effective_to and begun[-1].effective_to <= day
        return None if ended else begun[-1]

    def is_higher(self, code: str, than: str) -> bool:
        """By the last version, which has every code that any version before it has."""
        last = self.versions[-1]
        return last.tier(code).rank > last.tier(than).rank
