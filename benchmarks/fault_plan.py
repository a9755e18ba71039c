"""What a campaign tries: which business days, which kinds, how much of each, how often."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from crm_warehouse.profile import Profile
from crm_warehouse.simulator.corruption.catalogue import KINDS, find_kind
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT, Kind

FULL_MAGNITUDES = (0.1, 1.0)  # times the kind's own: the smaller shows where a rule stops seeing it
# Kinds of any extract are tried on deliveries of so many rows: a few rows less of three, at the source, are a quiet day. Of
# events, whose number is up to chance, half have to be missing from so many before it is no chance at the gate's width.
ROWS_MIN, EVENTS_MIN = 20, 150
FACTORS = (1.1, 1.0)  # likewise for factors: the first is the factor itself


@dataclass(frozen=True)
class Campaign:
    """Size of a campaign. `first` has the bank's initial delivery; the business days after it are the clean days."""

    customers: int
    history_from: date
    first: date
    last: date
    day_types: tuple[str, ...]
    seeds: int
    magnitudes: bool  # whether smaller magnitudes than the kind's own are tried too
    kinds: tuple[str, ...] = ()  # none: all

    def describe(self) -> dict:
        return {name: str(value) if isinstance(value, date) else value for name, value in asdict(self).items()}


FULL = Campaign(
    customers=1000,
    history_from=date(2025, 1, 1),
    first=date(2025, 12, 31),
    last=date(2026, 4, 10),
    day_types=("ordinary", "month_end", "after_holiday"),
    seeds=1,
    magnitudes=True,
)
QUICK = Campaign(
    customers=300,
    history_from=date(2025, 7, 1),
    first=date(2026, 2, 28),
    last=date(2026, 4, 10),
    day_types=("ordinary",),
    seeds=1,
    magnitudes=False,
)


@dataclass(frozen=True)
class FaultCase:
    """One delivery to be damaged. `tables` are tried in turn until one can be damaged so."""

    kind: str
    way: str
    expected: str
    tables: tuple[str, ...]
    day_type: str
    day: date
    magnitude: float
    seed: int

    @property
    def id(self) -> str:
        return f"{self.kind}|{self.way}|{self.day}|{self.magnitude:g}|{self.seed}"


def damaged_days(business_days: Sequence[date]) -> dict[str, date]:
    """The latest day of each type among business days (ascending; the first is the initial delivery and is no candidate)."""
    found: dict[str, date] = {}
    for before, day in zip(business_days, business_days[1:], strict=False):
        found[day_type(before, day, business_days)] = day
    return found


def day_type(before: date, day: date, business_days: Sequence[date]) -> str:
    """`after_holiday` when a weekday was closed before it, `month_end` when it is its month's last, else `ordinary`."""
    closed = [before + timedelta(days=n) for n in range(1, (day - before).days)]
    if any(between.weekday() < 5 for between in closed):
        return "after_holiday"
    later = [other for other in business_days if other > day]
    # Of the last day that is known nobody can say whether it ends its month, unless the calendar does.
    ends_month = later[0].month != day.month if later else (day + timedelta(days=1)).month != day.month
    return "month_end" if ends_month else "ordinary"


def cases_of(campaign: Campaign, profile: Profile, days: dict[str, date]) -> Iterator[FaultCase]:
    """Every case, in a fixed order: kind, way, day, magnitude, seed. Kinds of many extracts take another one each time,
    and not all kinds begin with the same."""
    names = [f"{spec.source}.{spec.name}" for spec in profile.extracts]
    for kind in [find_kind(name) for name in campaign.kinds] or KINDS:
        tables = [table for table in (names if kind.applies_to == EVERY_EXTRACT else kind.applies_to) if table in names]
        for way in ("source", "transit") if kind.way == "both" else (kind.way,):
            turn = 0
            for day_type_ in (name for name in campaign.day_types if name in days):
                for seed in range(7, 7 + campaign.seeds):
                    first = (turn + zlib.crc32(kind.name.encode())) % len(tables) if tables else 0
                    turned = tuple(tables[first:] + tables[:first])
                    turn += 1
                    for magnitude in _magnitudes(kind, campaign):
                        expected = kind.expected_when(way)
                        yield FaultCase(kind.name, way, expected, turned, day_type_, days[day_type_], magnitude, seed)


def _magnitudes(kind: Kind, campaign: Campaign) -> tuple[float, ...]:
    if kind.reach == "all" or not campaign.magnitudes:
        return (kind.magnitude,)
    if kind.reach == "factor":
        return (FACTORS[0], kind.magnitude)
    return tuple(kind.magnitude * times for times in FULL_MAGNITUDES)
