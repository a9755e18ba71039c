"""Balances and holdings at month ends and days, worked out from postings and trades."""

import numpy as np

from crm_warehouse.simulator.books import UNIT, Accounts, Flows
from crm_warehouse.simulator.catalogue import HELD
from crm_warehouse.simulator.journal import DAY
from crm_warehouse.simulator.market import Market
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import Simulation

BASES = ("end_of_day", "monthly_average")
END_OF_DAY, MONTHLY_AVERAGE = 0, 1


def balance_columns(
    simulation: Simulation, accounts: Accounts, postings: tuple[np.ndarray, ...], history: int, days: np.ndarray
) -> dict[str, np.ndarray]:
    """Month ends of the first `history` months in both bases, then the given days at their end; minor units.

    A closed account is shown once more, at zero, on the first day shown from its closing on, so that nobody carries
    its last balance forward.
    """
    first_days, last_days = (bounds[:history] for bounds in simulation.months())
    n = accounts.spell.size
    account, day, amount = postings[0], postings[1] // DAY, postings[2]
    month = np.searchsorted(last_days, day)
    past = month < history
    cell = account[past] * history + month[past]
    net = np.bincount(cell, amount[past], minlength=n * history).reshape(n, history)
    weighted = amount[past] * (last_days[month[past]] - day[past] + 1.0)
    day_sum = np.bincount(cell, weighted, minlength=n * history).reshape(n, history)
    # Sums of whole fen stay below 2 ** 53: the floats of bincount are exact.
    closing = accounts.opening_balance[:, None] + np.cumsum(net.astype(np.int64), axis=1)
    length = last_days - first_days + 1
    before = closing - net.astype(np.int64)
    average = (2 * (before * length + day_sum.astype(np.int64)) + length) // (2 * length)
    opened, closed = accounts.opened[:, None], accounts.closed[:, None]
    parts = [
        _rows(average, (opened <= last_days) & (closed >= first_days), MONTHLY_AVERAGE, last_days),
        _rows(closing, (opened <= last_days) & (closed >= last_days), END_OF_DAY, last_days),
    ]
    recent = day > last_days[-1]
    slot = np.searchsorted(days, day[recent])
    shown = slot < days.size
    cell = account[recent][shown] * days.size + slot[shown]
    net = np.bincount(cell, amount[recent][shown], minlength=n * days.size).reshape(n, days.size).astype(np.int64)
    daily = closing[:, -1:] + np.cumsum(net, axis=1)
    day_before = np.append(last_days[-1], days[:-1])
    parts.append(_rows(daily, (opened <= days) & (closed > day_before), END_OF_DAY, days))
    row, day, basis, amount = (np.concatenate(part) for part in zip(*parts, strict=True))
    return {"account": row, "day": day, "basis": basis, "amount": amount, "product": accounts.product[row]}


def _rows(values: np.ndarray, shown: np.ndarray, basis: int, days: np.ndarray) -> tuple[np.ndarray, ...]:
    column, row = np.nonzero(shown.T)
    return row, days[column], np.full(row.size, basis), values[row, column]


def holding_columns(
    simulation: Simulation, spells: Spells, flows: Flows, market: Market, history: int, days: np.ndarray
) -> dict[str, np.ndarray]:
    """The same for holdings: units in millionths, value and cost in fen (averages have value only).

    A holding sold off is shown once more, at zero, on the next day shown.
    """
    first_days, last_days = simulation.months()
    so_far = np.concatenate([np.zeros((len(HELD), 1)), np.cumsum(market.price, axis=1)], axis=1)  # days up to d: d + 2
    parts = []
    for month in range(history):
        first, last = int(first_days[month]), int(last_days[month])
        before, after = flows.units[month], flows.units[month + 1]
        spell, product = np.nonzero((before > 0) | (after > 0))
        before, after, trade = before[spell, product], after[spell, product], flows.trade_day[month][spell]
        trade = np.clip(trade, first, last)
        price_sum = so_far[product, trade + 1] - so_far[product, first + 1]
        value = before * price_sum + after * (so_far[product, last + 2] - so_far[product, trade + 1])
        average = (value / UNIT * 100 / (last - first + 1)).round().astype(np.int64)
        cost, price = flows.cost[month + 1][spell, product], market.price[product, last + 1]
        parts.append((spell, product, last, MONTHLY_AVERAGE, -1, average, -1))
        parts.append((spell, product, last, END_OF_DAY, after, (after * price / UNIT * 100).round(), cost))
    seen = flows.units[history] > 0
    for day in days.tolist():
        month = int(np.searchsorted(last_days, day))
        traded = (flows.trade_day[month] <= day)[:, None]
        units = np.where(traded, flows.units[month + 1], flows.units[month])
        cost = np.where(traded, flows.cost[month + 1], flows.cost[month])
        spell, product = np.nonzero((units > 0) | seen)
        seen = units > 0
        units, price = units[spell, product], market.price[product, day + 1]
        value = (units * price / UNIT * 100).round()
        parts.append((spell, product, day, END_OF_DAY, units, value, cost[spell, product]))
    columns = zip(*([np.broadcast_to(value, part[0].shape) for value in part] for part in parts), strict=True)
    spell, product, day, basis, units, value, cost = (np.concatenate(column).astype(np.int64) for column in columns)
    return {
        "customer": spells.customer[spell], "product": product, "day": day, "basis": basis, "units": units,
        "value": value, "cost": np.where(basis == END_OF_DAY, cost, -1),
    }  # fmt: skip
