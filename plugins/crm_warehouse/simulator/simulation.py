"""What is simulated: size, seed, dates; and the random streams of it."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from crm_warehouse.simulator.business_days import FIRST_DAY, LAST_DAY, business_days

# A new table gets a new name at the end: the streams of the tables before it, and so their bytes, stay as they are.
STREAMS = (
    "customers",
    "spells",
    "wealth",
    "paths",
    "portfolios",
    "market",
    "flows",
    "foreign",
    "lending",
    "cards",
    "relations",
    "holders",
)


@dataclass(frozen=True)
class Simulation:
    """Size, seed and dates of a simulated bank. Day numbers elsewhere count from history_from = 0."""

    customers: int = 2000
    seed: int = 20260101
    history_from: date = date(2025, 1, 1)
    initial_delivery_on: date = date(2026, 5, 31)
    last_business_date: date = date(2026, 6, 30)

    def __post_init__(self) -> None:
        if self.customers < 100:
            raise ValueError(f"customers is {self.customers}: a bank with every kind of customer needs at least 100")
        if self.history_from.day != 1 or (np.datetime64(self.initial_delivery_on) + 1).item().day != 1:
            raise ValueError("history_from must be the first day of a month, initial_delivery_on the last of one")
        if not FIRST_DAY <= self.history_from < self.initial_delivery_on < self.last_business_date <= LAST_DAY:
            raise ValueError(f"dates must ascend and lie within {FIRST_DAY}..{LAST_DAY}, the calendar that is known")
        if not business_days(self.last_business_date, self.last_business_date).size:
            raise ValueError(f"last_business_date {self.last_business_date} must be a business day")
        if (self.initial_delivery_on - self.history_from).days < 180:
            raise ValueError("at least six months of history are needed for customers to come, go and come back")

    @property
    def days(self) -> int:
        """Number of simulated days."""
        return (self.last_business_date - self.history_from).days + 1

    def stream(self, name: str) -> np.random.Generator:
        """The random stream of one table, independent of every other."""
        seeds = np.random.SeedSequence(self.seed).spawn(len(STREAMS))
        return np.random.Generator(np.random.PCG64(seeds[STREAMS.index(name)]))

    def dates(self, day: np.ndarray) -> np.ndarray:
        """Day numbers as datetime64[D]."""
        return np.datetime64(self.history_from) + np.asarray(day).astype("timedelta64[D]")

    def day_numbers(self, dates: np.ndarray) -> np.ndarray:
        """Dates as day numbers (history_from = 0, the day before it -1)."""
        return (np.asarray(dates, dtype="datetime64[D]") - np.datetime64(self.history_from)).astype(np.int64)

    def months(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last day number of every simulated month; the last month may be cut short."""
        ends = np.datetime64(self.last_business_date)
        after = ends.astype("datetime64[M]") + 1
        firsts = np.arange(self.history_from, after, dtype="datetime64[M]").astype("datetime64[D]")
        lasts = np.minimum((firsts.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1, ends)
        return self.day_numbers(firsts), self.day_numbers(lasts)


def delivery_dates(simulation: Simulation) -> list[date]:
    """The business dates that have a delivery: the initial one, then every business day up to the last."""
    after = (np.datetime64(simulation.initial_delivery_on) + 1).item()
    return [simulation.initial_delivery_on, *business_days(after, simulation.last_business_date).tolist()]
