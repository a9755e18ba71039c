"""What is simulated: size, seed, dates, the claims that hold; and the random streams of it."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from crm_warehouse.simulator.business_days import FIRST_DAY, LAST_DAY, business_days

NEVER = 10**6  # day number of what has not happened

# A new table gets a new name at the end: the streams of the tables before it, and so their bytes, stay as they are.
STREAMS = (
    "customers", "spells", "wealth", "paths", "portfolios", "market", "flows", "foreign", "lending", "cards",
    "contacts", "holders", "managers", "lives", "campaigns", "service", "links", "prospects", "programmes", "traits", "surveys",
    "wallets",
)  # fmt: skip

# Customers are simulated this many at a time, each block from streams of its own: memory stays flat, blocks run side
# by side, and the bytes do not depend on how many do.
BLOCK = 25_000

# Above this size the initial delivery holds the transactions of its last month only, as banks of that size send them.
FULL_TRANSACTIONS_UP_TO = 20_000


@dataclass(frozen=True)
class Simulation:
    """Size, seed and dates of a simulated bank. Day numbers elsewhere count from history_from = 0.

    volatile_band_sigma is the monthly spread (in logs) of assets between 6 and 8 million CNY; above 8 million it is
    0.05. The seeds' claim "600-800万 moves, above 800万 is stable" is true at its default and false at 0.05.
    transaction_months: months of transactions in the initial delivery; None is all of them for a small bank.
    """

    customers: int = 2000
    seed: int = 20260101
    history_from: date = date(2024, 6, 1)
    initial_delivery_on: date = date(2026, 5, 31)
    last_business_date: date = date(2026, 6, 30)
    volatile_band_sigma: float = 0.22
    transaction_months: int | None = None

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
        if not 0 < self.volatile_band_sigma <= 1:
            raise ValueError(f"volatile_band_sigma is {self.volatile_band_sigma}: it must lie in (0, 1]")
        if self.transaction_months is not None and self.transaction_months < 1:
            raise ValueError(f"transaction_months is {self.transaction_months}: it must be at least 1")

    @property
    def days(self) -> int:
        """Number of simulated days."""
        return (self.last_business_date - self.history_from).days + 1

    @property
    def first_transaction_day(self) -> int:
        """Day number from which transactions are sent."""
        months = self.transaction_months
        if months is None:
            months = 1 if self.customers > FULL_TRANSACTIONS_UP_TO else self.history_months
        first = np.datetime64(self.initial_delivery_on, "M") - (months - 1)
        return max(0, int(self.day_numbers(first)))

    @property
    def history_months(self) -> int:
        """Months up to the initial delivery, its own included."""
        return int(np.datetime64(self.initial_delivery_on, "M") - np.datetime64(self.history_from, "M")) + 1

    def stream(self, name: str, *place: int) -> np.random.Generator:
        """The random stream of one table, and one block or month of it, independent of every other."""
        seed = np.random.SeedSequence(self.seed, spawn_key=(STREAMS.index(name), *place))
        return np.random.Generator(np.random.PCG64(seed))

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

    def open_days(self) -> np.ndarray:
        """Day numbers of the business days."""
        return self.day_numbers(business_days(self.history_from, self.last_business_date))


@dataclass(frozen=True)
class Block:
    """A run of customers that is simulated in one go; of, the number of blocks, only decides where it begins."""

    simulation: Simulation
    number: int
    of: int

    @property
    def first(self) -> int:
        """Number of its first customer within the bank."""
        return self.number * self.simulation.customers // self.of

    @property
    def size(self) -> int:
        """Customers in this block."""
        return (self.number + 1) * self.simulation.customers // self.of - self.first

    def stream(self, name: str, *place: int) -> np.random.Generator:
        return self.simulation.stream(name, self.number, *place)

    def numbered(self, rows: np.ndarray, room: int) -> np.ndarray:
        """Numbers that no other block has, for rows 0..room-1 of this one."""
        if rows.size and rows.max() >= room:
            raise OverflowError(f"block {self.number} has {rows.max() + 1} rows, more than the {room} it may number")
        return rows + self.number * room


def blocks_of(simulation: Simulation) -> list[Block]:
    """The blocks of a bank, as even in size as can be."""
    of = -(-simulation.customers // BLOCK)
    return [Block(simulation, number, of) for number in range(of)]


def delivery_dates(simulation: Simulation) -> list[date]:
    """The business dates that have a delivery: the initial one, then every business day up to the last."""
    after = (np.datetime64(simulation.initial_delivery_on) + 1).item()
    return [simulation.initial_delivery_on, *business_days(after, simulation.last_business_date).tolist()]


def padded(numbers: np.ndarray, width: int) -> np.ndarray:
    """Numbers as text with leading zeros."""
    return np.char.zfill(numbers.astype(str), width) if numbers.size else np.empty(0, dtype=f"U{width}")
