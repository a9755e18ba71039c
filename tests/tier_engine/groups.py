"""Rules 6 and 7: who is one customer with whom, and who shares a household."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tier_engine.bank import Bank, Link


def connected(start: str, links: Iterable[Link]) -> set[str]:
    """Everybody whom links reach from `start`, directly or through others."""
    links, group, todo = list(links), {start}, [start]
    while todo:
        at = todo.pop()
        for link in links:
            for here, there in ((link.one, link.other), (link.other, link.one)):
                if here == at and there not in group:
                    group.add(there)
                    todo.append(there)
    return group


def _links(bank: Bank, kinds: tuple[str, ...], day: date | None = None) -> list[Link]:
    return [link for link in bank.links if link.kind in kinds and (day is None or link.holds(day))]


def records(bank: Bank, customer: str, day: date) -> set[str]:
    """The records that are one customer with this one on a day."""
    return {record for record in connected(customer, _links(bank, ("same_person",), day)) if record in bank.spells}


def leader(bank: Bank, customer: str, day: date) -> str:
    """Of those records the one onboarded first, then the smaller id."""
    return min(records(bank, customer, day), key=lambda record: (bank.onboarded[record], record))


def household(bank: Bank, customer: str, day: date) -> set[str]:
    """Whom household links connect, also through who is no customer (any more), and who is there on the day; two records of
    one person are one member."""
    there = {who for who, spells in bank.spells.items() if any(spell.begin <= day < spell.end for spell in spells)}
    return records(bank, customer, day) | (connected(customer, _links(bank, ("same_person", "household"), day)) & there)


@dataclass(frozen=True)
class Stay:
    """Days without a break on which a customer is there in its own right: of a spell, what no merge takes away."""

    begin: date
    end: date
    begins_with: str
    ends_with: str


def stays(bank: Bank, customer: str) -> list[Stay]:
    ever = connected(customer, _links(bank, ("same_person",)))
    turns = {day for link in _links(bank, ("same_person",)) if link.one in ever for day in (link.begin, link.end)}
    found: list[Stay] = []
    for number, spell in enumerate(sorted(bank.spells.get(customer, []), key=lambda spell: spell.begin)):
        cuts = [spell.begin, *sorted(day for day in turns if spell.begin < day < spell.end), spell.end]
        reason = "returned" if number else "account_opened"
        begun: date | None = None
        for day, until in zip(cuts, cuts[1:], strict=False):
            if leader(bank, customer, day) != customer:
                if begun is not None:
                    found.append(Stay(begun, day, reason, "merged"))
                begun, reason = None, "unmerged"
            elif begun is None:
                begun = day
            if until == spell.end and begun is not None:
                found.append(Stay(begun, until, reason, "relationship_closed"))
    return found
