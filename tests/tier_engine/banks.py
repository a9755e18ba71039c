"""Banks, ladders and corrections at random, from one seed: every edge often, every number small enough to read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from tier_engine.bank import END_OF_TIME, Amounts, Bank, Debt, Link, Month, Spell
from tier_engine.cases import night
from tier_engine.policy import Ladder, Tier, Version
from tier_engine.ratings import months_after

LINES = (0, 50, 100, 200, 500, 1000)
FAMILIES = ("deposit", "fund", "bond")


@dataclass(frozen=True)
class Habits:
    """How wild the banks are. `is_plain`: nobody is merged, nothing is known late."""

    customers: int = 150
    merges: bool = True
    scopes: tuple[str, ...] = ("bank", "bank", "branch", "household")
    late: bool = True
    chains: bool = True  # whether more than two records may be one person
    calendars: bool = True  # whether versions may differ in theirs


def random_ladder(random: Random, first: date, months: int, habits: Habits) -> Ladder:
    begins = [first - timedelta(days=31)]
    begins += sorted(months_after(first, random.randrange(1, months)) for _ in range(random.choice((0, 0, 1, 1, 2))))
    begins = [months_after(begin, 0) for begin in dict.fromkeys(begins)]
    height = random.randint(2, 5)
    codes = [f"t{rank}" for rank in range(1, height + 1)]
    versions = []
    calendars = ("monthly", "monthly", "monthly", "quarterly", "half_yearly", "yearly")
    first_calendar = random.choice(calendars)
    for number, begin in enumerate(begins):
        if number and random.random() < 0.3:
            codes = [*codes[:1], f"new{number}", *codes[1:]]
        lines = [0, *sorted(random.sample(range(50, 1050, 50), len(codes) - 1))]
        graces = [random.choice((0, 1, 2, 3, 3, 4)) for _ in codes] if random.random() < 0.8 else [0] * len(codes)
        base = random.choice(("total", "total", "net", "weighted"))
        until = begins[number + 1] if number + 1 < len(begins) else None
        versions.append(
            Version(
                f"v{number + 1}",
                begin,
                tuple(
                    Tier(code, rank, Decimal(line), grace)
                    for rank, (code, line, grace) in enumerate(zip(codes, lines, graces, strict=True), start=1)
                ),
                until,
                base,
                random.choice(("month", "month", "quarter", "month_end")),
                random.choice(("calendar", "fixed_30")),
                random.choice(habits.scopes),
                random.choice((0, 1, 1, 2, 3)),
                random.choice(("last", "max")),
                random.choice(calendars) if habits.calendars else first_calendar,
                tuple((f, Decimal(random.choice(("0", "0.5", "0.3333", "1.2")))) for f in FAMILIES[1:])
                if base == "weighted"
                else (),
            )
        )
    return Ladder(tuple(versions))


def random_months(random: Random, first: date, count: int, as_of: date) -> list[Month]:
    months = []
    for place in range(count):
        begin = months_after(first, place)
        over = months_after(begin, 1) - timedelta(days=1)
        last = min(over, as_of)
        received = night(last) + timedelta(hours=random.choice((0, 0, 12)))
        months.append(Month(begin, last, last.day, last == over, random.random() < 0.93, received))
    return months


def random_spells(random: Random, first: date, as_of: date, habits: Habits) -> list[Spell]:
    def some_day() -> date:
        day = first + timedelta(days=random.randrange((as_of - first).days + 1))
        kind = random.random()
        if kind < 0.15:
            return max(months_after(day, 0), first)
        return min(months_after(day, 1) - timedelta(days=1), as_of) if kind < 0.3 else day

    def heard(day: date) -> datetime:
        """Told the same night, or some days late within the month that is then still open."""
        end = min(months_after(day, 1) - timedelta(days=1), as_of)
        return (
            night(min(day + timedelta(days=random.randrange(8)), end))
            if habits.late and random.random() < 0.3
            else night(day)
        )

    long_ago = first - timedelta(days=random.randrange(1, 900))
    days = sorted({some_day() for _ in range(random.choice((0, 0, 0, 1, 1, 2, 3)))})
    begins_before = random.random() < 0.6 or not days
    turns = [long_ago, *days] if begins_before else days
    spells = []
    for place in range(0, len(turns), 2):
        begin, end = turns[place], turns[place + 1] if place + 1 < len(turns) else END_OF_TIME
        opening = night(first) if begin < first else heard(begin)
        spells.append(Spell(begin, end, opening, max(heard(end), opening) if end != END_OF_TIME else None))
    if len(spells) == 2 and random.random() < 0.3:  # back on the day of the closing
        one, two = spells
        known = max(two.opening_known_at, one.opening_known_at)
        spells = [replace(one, end=two.begin, closing_known_at=known), replace(two, opening_known_at=known)]
    elif len(spells) == 2 and spells[1].opening_known_at < spells[0].closing_known_at:
        spells[1] = replace(spells[1], opening_known_at=spells[0].closing_known_at)
    return spells


def random_amounts(random: Random, bank: Bank, customer: str, lines: list[Decimal]) -> None:
    level = random.choice(lines)
    for month in bank.months:
        if random.random() < 0.5:
            level = random.choice(lines)
        if not any(s.begin <= month.last and s.end > month.first for s in bank.spells[customer]):
            continue
        edge = random.choice(
            (Decimal(0), Decimal(0), Decimal("0.01"), Decimal("-0.01"), Decimal(random.randrange(-9900, 9900)) / 100)
        )
        average = level + edge
        shares = random.choice(
            ((1,), (1,), (Decimal("0.25"), Decimal("0.75")), (Decimal("0.1"), Decimal("0.3"), Decimal("0.6")))
        )
        families = {}
        for family, share in zip(FAMILIES, shares, strict=False):
            total = (average * share * random.choice((month.days, month.days, 30))).quantize(Decimal("0.0001"))
            end = (random.choice((average, level)) * share).quantize(Decimal("0.0001"))
            home = random.choice((Decimal(1), Decimal(1), Decimal("0.5"), Decimal(0)))
            families[family] = Amounts(total, end, total * home, end * home)
        if random.random() < 0.95:
            bank.assets[customer, month.first] = families
        if random.random() < 0.3:
            owed = Decimal(random.choice((10, 50, 100, 2000)))
            bank.debts[customer, month.first] = Debt(owed * month.days + random.randrange(3), owed)


def random_links(random: Random, bank: Bank, habits: Habits) -> None:
    customers = list(bank.spells)
    last = bank.months[-1].last
    for place in range(0, len(customers) - 3, 4):
        kind = random.random()
        group = customers[place : place + random.choice((2, 2, 2, 3))]
        if kind < 0.25 and habits.merges and not habits.chains:
            group = group[:2]
        if kind < 0.25 and habits.merges:  # of who is merged, nothing is told late
            for customer in group:
                bank.spells[customer] = [_told_at_once(spell, bank.first_day) for spell in bank.spells[customer]]
        for one, other in zip(group, group[1:], strict=False):
            begin = bank.first_day + timedelta(days=random.randrange(-40, (last - bank.first_day).days))
            end = begin + timedelta(days=random.choice((1, 20, 60, 150)))
            begin, end = (
                max(begin, bank.first_day - timedelta(days=40)),
                END_OF_TIME if end > last or random.random() < 0.4 else end,
            )
            if random.random() < 0.2:
                begin = max(months_after(begin, 0), bank.first_day - timedelta(days=40))
            what = "same_person" if kind < 0.25 and habits.merges else "household" if kind < 0.6 else "referred_by"
            ends = random.choice(((one, other), (other, one)))
            known = max(night(begin), night(bank.first_day))
            bank.links.append(
                Link(*ends, what, begin, end, known, max(night(end), known) if end != END_OF_TIME else None)
            )


def _told_at_once(spell: Spell, first: date) -> Spell:
    closing = None if spell.end == END_OF_TIME else night(max(spell.end, first))
    return replace(spell, opening_known_at=night(max(spell.begin, first)), closing_known_at=closing)


def random_bank(seed: int, habits: Habits | None = None) -> tuple[Bank, Ladder]:
    random, habits = Random(seed), habits or Habits()
    first = date(2025, random.randint(1, 12), 1)
    count = random.randint(4, 14)
    month_end = months_after(first, count) - timedelta(days=1)
    as_of = month_end - timedelta(days=random.choice((0, 0, 0, 1, 12)))
    ladder = random_ladder(random, first, count, habits)
    customers = {f"c{n:03}": random_spells(random, first, as_of, habits) for n in range(habits.customers)}
    bank = Bank(as_of, random_months(random, first, count, as_of), {c: s for c, s in customers.items() if s})
    lines = [tier.threshold for version in ladder.versions for tier in version.tiers]
    for customer in bank.spells:
        random_amounts(random, bank, customer, lines)
    random_links(random, bank, habits)
    return bank, ladder


def until(bank: Bank, as_of: date) -> Bank:
    """What a run of an earlier business date has of the same bank."""
    months = [m for m in bank.months if m.first <= as_of]
    cut = months[-1]
    if as_of < cut.last:
        months[-1] = replace(
            cut, last=as_of, days=as_of.day, is_complete=False, known_at=min(cut.known_at, night(as_of))
        )
    spells = {
        customer: [
            s if s.end <= as_of else replace(s, end=END_OF_TIME, closing_known_at=None)
            for s in spells
            if s.begin <= as_of
        ]
        for customer, spells in bank.spells.items()
    }
    heard = night(as_of) + timedelta(hours=12)
    spells = {
        customer: [
            s
            if not s.closing_known_at or s.closing_known_at <= heard
            else replace(s, end=END_OF_TIME, closing_known_at=None)
            for s in kept
            if s.opening_known_at <= heard
        ]
        for customer, kept in spells.items()
    }
    links = [
        k if k.end <= as_of else replace(k, end=END_OF_TIME, end_known_at=None) for k in bank.links if k.begin <= as_of
    ]
    firsts = {m.first for m in months}
    return Bank(
        as_of,
        months,
        {customer: kept for customer, kept in spells.items() if kept},
        {key: value for key, value in bank.assets.items() if key[1] in firsts},
        {key: value for key, value in bank.debts.items() if key[1] in firsts},
        links,
    )


def random_corrections(seed: int, bank: Bank, ladder: Ladder) -> tuple[list[tuple[datetime, Bank]], Bank]:
    """Closed months corrected or delivered late: what had been received until when, oldest first, and all there is in the end."""
    random, past = Random(f"corrections of {seed}"), []
    lines = [tier.threshold for version in ladder.versions for tier in version.tiers]
    places = sorted(random.choices(range(1, len(bank.months)), k=random.choice((1, 1, 2))))
    days = sorted({bank.months[place].first + timedelta(days=random.randint(4, 24)) for place in places})
    for day in [day for day in days if day < bank.as_of]:
        moment = datetime(day.year, day.month, day.day, 12)
        past.append((moment, until(bank, day - timedelta(days=1))))
        place = random.randrange([m.first for m in bank.months].index(day.replace(day=1)))
        month = bank.months[place]
        bank = replace(bank, months=list(bank.months), assets=dict(bank.assets), debts=dict(bank.debts))
        if (
            not month.is_fed and random.random() < 0.5
        ):  # the delivery it waited for: what it decides was not known before
            bank.months[place] = replace(month, known_at=moment, is_fed=True)
        for customer, spells in bank.spells.items():
            if random.random() < 0.3 and any(s.begin <= month.last and s.end > month.first for s in spells):
                random_amounts(random, replace(bank, months=[month]), customer, lines)
    return past, bank
