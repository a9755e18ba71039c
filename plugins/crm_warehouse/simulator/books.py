"""What the month-by-month simulation keeps: accounts, positions, and the record of what happened."""

from dataclasses import dataclass, field

import numpy as np

from crm_warehouse.simulator.journal import Journal
from crm_warehouse.simulator.simulation import NEVER

BUY, REDEEM = 0, 1  # sides of an order
UNIT = 10**6  # holdings are counted in millionths of a unit


@dataclass
class Accounts:
    """One row per account ever opened. The first rows are the demand accounts, one per spell, in spell order."""

    spell: np.ndarray
    product: np.ndarray  # code into DEPOSITS
    opened: np.ndarray
    closed: np.ndarray
    opening_balance: np.ndarray  # before history, minor units

    def add(self, spell: np.ndarray, product: int, opened, opening_balance=0) -> np.ndarray:
        """Rows of the newly opened accounts."""
        n = self.spell.size
        grown = (spell, product, opened, NEVER, opening_balance)
        for name, values in zip(("spell", "product", "opened", "closed", "opening_balance"), grown, strict=True):
            setattr(self, name, np.append(getattr(self, name), np.broadcast_to(values, spell.shape)))
        return np.arange(n, n + spell.size)


@dataclass
class Flows:
    """What happened: postings, accounts, and holdings by month (spells x HELD; before and after that month's trade)."""

    journal: Journal
    accounts: Accounts
    fees: list[dict[str, np.ndarray]] = field(default_factory=list)
    orders: list[tuple[np.ndarray, ...]] = field(default_factory=list)  # spell, HELD column, day, side, units, fen
    trade_day: list[np.ndarray] = field(default_factory=list)  # by month: spells
    units: list[np.ndarray] = field(default_factory=list)  # by month: at its end, millionths; element 0 before history
    cost: list[np.ndarray] = field(default_factory=list)  # the same in fen


@dataclass
class Books:
    """Positions of each spell as the months pass; money in fen."""

    demand: np.ndarray
    term_account: np.ndarray  # spells x TERM: account row, -1 if none
    term_balance: np.ndarray
    term_matures: np.ndarray
    units: np.ndarray
    cost: np.ndarray
    dressed: np.ndarray  # lent in for the last month end, to go out again
    day_sums: list[np.ndarray]  # of the demand balance, by month: interest is paid on them


@dataclass(frozen=True)
class Month:
    """The days each spell is active in: first..last, both included; last is the day before closing."""

    number: int
    first_day: int
    last_day: int
    first: np.ndarray
    last: np.ndarray
    active: np.ndarray
    opening: np.ndarray
    closing: np.ndarray

    def at(self, fraction: np.ndarray | float, spell: np.ndarray | None = None) -> np.ndarray:
        """The day that lies at a fraction (0..1) of each spell's active days."""
        first, last = (self.first, self.last) if spell is None else (self.first[spell], self.last[spell])
        return first + np.floor(fraction * (last - first + 1)).astype(np.int64)
