"""Term deposits: opened from the demand account, renewed or paid out when they mature, broken when money is needed."""

import numpy as np

from crm_warehouse.simulator.books import Books, Flows, Month
from crm_warehouse.simulator.catalogue import DEMAND, TERM
from crm_warehouse.simulator.journal import HOUR, OWN_NAMES
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import NEVER

RATES = np.array([p.rate for p in TERM])
TERM_DAYS = np.array([p.term_days for p in TERM])


def mature_terms(spells: Spells, rng, month: Month, flows: Flows, books: Books) -> np.ndarray:
    """Interest on term deposits that mature; two in three renew, the rest pay out. Returns fen paid out by spell."""
    due = (books.term_matures <= month.last[:, None]) & (books.term_account >= 0)
    spell, k = np.nonzero(due)
    account, day = books.term_account[spell, k], books.term_matures[spell, k]
    interest = (books.term_balance[spell, k] * RATES[k] * TERM_DAYS[k] / 365).astype(np.int64)
    flows.journal.post("interest", account, day, 6 * HOUR, interest)
    books.term_balance[spell, k] += interest
    books.term_matures[spell, k] += TERM_DAYS[k]
    leaves = np.zeros(due.shape, dtype=bool)
    leaves[spell, k] = rng.random(spell.size) < 0.35
    return pay_out_terms(spells, books.term_matures - TERM_DAYS, leaves, flows, books)


def pay_out_terms(spells: Spells, day: np.ndarray, which: np.ndarray, flows: Flows, books: Books) -> np.ndarray:
    """Close term deposits into the demand account: which and day by spell, or by spell x TERM. Fen by spell."""
    shape = books.term_account.shape
    which = np.broadcast_to(which if which.ndim == 2 else which[:, None], shape) & (books.term_account >= 0)
    day = np.broadcast_to(day if day.ndim == 2 else day[:, None], shape)
    spell, k = np.nonzero(which)
    account, amount = books.term_account[spell, k], books.term_balance[spell, k]
    second, party = 9 * HOUR + 60 * k, OWN_NAMES + spells.customer[spell]
    flows.journal.post("term_payout", account, day[spell, k], second, -amount, party)
    flows.journal.post("term_payout", spell, day[spell, k], second + 1, amount, party)
    flows.accounts.closed[account] = day[spell, k]
    paid_out = np.where(which, books.term_balance, 0).sum(axis=1)
    books.term_account[which], books.term_balance[which], books.term_matures[which] = -1, 0, NEVER
    return paid_out


def open_terms(deposit: np.ndarray, day: np.ndarray, own: np.ndarray, flows: Flows, books: Books) -> None:
    """New term deposits from the demand account: deposit in fen by spell x TERM, day and own name by spell."""
    for k, product in enumerate(TERM):
        spell = np.flatnonzero(deposit[:, k])
        account = flows.accounts.add(spell, len(DEMAND) + k, day[spell])
        second = 15 * HOUR + 60 * k
        flows.journal.post("term_opening", spell, day[spell], second, -deposit[spell, k], own[spell])
        flows.journal.post("term_opening", account, day[spell], second + 1, deposit[spell, k], own[spell])
        books.term_account[spell, k], books.term_balance[spell, k] = account, deposit[spell, k]
        books.term_matures[spell, k] = day[spell] + product.term_days
