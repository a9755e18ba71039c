"""USD accounts and what happens on them."""

import numpy as np

from crm_warehouse.simulator.books import Flows
from crm_warehouse.simulator.catalogue import DEMAND
from crm_warehouse.simulator.journal import HOUR, OWN_NAMES
from crm_warehouse.simulator.market import Market
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import Block


def run_foreign_accounts(block: Block, spells: Spells, market: Market, flows: Flows) -> None:
    """USD accounts: a first sum, some wires in and out, quarterly interest; never below zero."""
    simulation, rng = block.simulation, block.stream("foreign")
    spell = np.flatnonzero(spells.usd_share > 0)
    usd = market.cny_per_unit[1, 0]
    size = (spells.usd_share * spells.wealth / usd * 100)[spell]
    start, end = spells.start[spell], spells.end[spell]
    balance = np.where(start < 0, size, 0).astype(np.int64)
    account = flows.accounts.add(spell, 1, start, balance)
    flows.accounts.closed[account] = end
    own = OWN_NAMES + spells.customer[spell]
    opens = np.where(start >= 0, size, 0).astype(np.int64)
    flows.journal.post("own_transfer_in", account, np.maximum(start, 0), 10 * HOUR, opens, own)
    for number, (first, last) in enumerate(zip(*(days.tolist() for days in simulation.months()), strict=True)):
        balance = balance + np.where((start >= first) & (start <= last), opens, 0)
        whole = (start < first) & (end > last)
        day = rng.integers(first, last + 1, spell.size)
        wired = balance * rng.uniform(-0.15, 0.17, spell.size) * (whole & (rng.random(spell.size) < 0.35))
        wired = wired.astype(np.int64)
        flows.journal.post("own_transfer_in", account, day, 11 * HOUR, np.maximum(wired, 0), own)
        flows.journal.post("own_transfer_out", account, day, 11 * HOUR, np.minimum(wired, 0), own)
        balance = balance + wired
        if number and first + 20 <= last and simulation.dates(first).item().month % 3 == 0:
            interest = (balance * DEMAND[1].rate / 4).astype(np.int64) * whole
            flows.journal.post("interest", account, first + 20, 5 * HOUR, interest)
            balance = balance + interest
        rest = np.where((end >= first) & (end <= last), balance, 0)
        flows.journal.post("closing_payout", account, end, 16 * HOUR, -rest, own)
        balance = balance - rest
