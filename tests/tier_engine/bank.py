"""What the rules start from, and how much of it was known at a moment (rules 17 and 18)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

END_OF_TIME = date(9999, 12, 31)


@dataclass(frozen=True)
class Month:
    """`last` and `days` of a month that is not over: the last day observed, and the days so far."""

    first: date
    last: date
    days: int
    is_complete: bool
    is_fed: bool
    known_at: datetime | None


@dataclass(frozen=True)
class Spell:
    begin: date
    end: date
    opening_known_at: datetime
    closing_known_at: datetime | None = None


@dataclass(frozen=True)
class Amounts:
    """Of one customer, month and product family; `home`: only what is kept at the home branch."""

    amount_days: Decimal
    end_amount: Decimal
    home_amount_days: Decimal
    home_end_amount: Decimal


@dataclass(frozen=True)
class Debt:
    debt_days: Decimal
    end_amount: Decimal


@dataclass(frozen=True)
class Link:
    one: str
    other: str
    kind: str
    begin: date
    end: date
    begin_known_at: datetime | None = None
    end_known_at: datetime | None = None

    def holds(self, day: date) -> bool:
        return self.begin <= day < self.end


@dataclass
class Bank:
    as_of: date
    months: list[Month]
    spells: dict[str, list[Spell]]
    assets: dict[tuple[str, date], dict[str, Amounts]] = field(default_factory=dict)
    debts: dict[tuple[str, date], Debt] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)

    @cached_property
    def first_day(self) -> date:
        """First day of the first month in the warehouse."""
        return min(month.first for month in self.months)

    @cached_property
    def onboarded(self) -> dict[str, date]:
        return {customer: min(spell.begin for spell in spells) for customer, spells in self.spells.items()}

    def moments(self) -> list[datetime]:
        """When anything became known."""
        spells = [spell for spells in self.spells.values() for spell in spells]
        moments = {month.known_at for month in self.months}
        moments |= {spell.opening_known_at for spell in spells} | {spell.closing_known_at for spell in spells}
        moments |= {moment for link in self.links for moment in (link.begin_known_at, link.end_known_at)}
        return sorted(moments - {None})

    def known_by(self, moment: datetime) -> Bank:
        """The bank as it was known at a moment: months not received are not rated, closings not received did not happen."""
        months = [
            replace(month, is_fed=month.is_fed and month.known_at is not None and month.known_at <= moment)
            for month in self.months
        ]
        spells = {
            customer: [
                spell
                if spell.closing_known_at and spell.closing_known_at <= moment
                else replace(spell, end=END_OF_TIME)
                for spell in spells
                if spell.opening_known_at <= moment
            ]
            for customer, spells in self.spells.items()
        }
        for known in spells.values():  # one spell at a time: a return that is known ends the spell before it
            for number in range(len(known) - 1):
                known[number] = replace(known[number], end=min(known[number].end, known[number + 1].begin))
        spells = {customer: known for customer, known in spells.items() if known}
        links = [
            replace(link, end=END_OF_TIME) if link.end_known_at and link.end_known_at > moment else link
            for link in self.links
            if not link.begin_known_at or link.begin_known_at <= moment
        ]
        return replace(self, months=months, spells=spells, links=links)

    def around(self, customer: str) -> Bank:
        """The part of the bank that links reach from a customer: nobody else has a say in its tier."""
        who, grown = {customer}, 0
        while len(who) > grown:
            grown = len(who)
            who |= {end for link in self.links if {link.one, link.other} & who for end in (link.one, link.other)}
        return replace(
            self,
            spells={each: self.spells[each] for each in sorted(who) if each in self.spells},
            assets={key: value for key, value in self.assets.items() if key[0] in who},
            debts={key: value for key, value in self.debts.items() if key[0] in who},
            links=[link for link in self.links if link.one in who],
        )
