"""Profit and loss as the general ledger books it: from the bank's own books, by line, branch and currency.

The ledger is closed on the days that have a delivery and on the last day of each month; between two closings a balance
stands as it was last closed. Months of the history are booked from what the systems stated of them: deposits by
monthly average, loans by the statement at their end. A booking is a whole number over a scale, so that sums are exact;
the extract rounds once, to the fen. Transactions are charged from the day on which they are recorded.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa

from crm_warehouse.simulator import catalogue
from crm_warehouse.simulator.books import Accounts
from crm_warehouse.simulator.lending import LOAN_PRODUCTS, Loans
from crm_warehouse.simulator.market import CURRENCIES
from crm_warehouse.simulator.positions import END_OF_DAY
from crm_warehouse.simulator.simulation import Simulation, delivery_dates

DAYS_OF_A_YEAR = 365
PARTS_OF_A_RATE = 10**6
BRANCHES = 40
INTEREST = DAYS_OF_A_YEAR * PARTS_OF_A_RATE
LOSS = 12 * PARTS_OF_A_RATE * 100

# Lines of the ledger. Income and cost are both booked as positive amounts, as assets and debts are.
LOAN_INTEREST, FEES, DEPOSIT_INTEREST = "6011", "6021", "6411"
OPERATING_COST, PERKS, EXPECTED_LOSS = "6601", "6605", "6702"
TRANSFER_INCOME, TRANSFER_CHARGE = "6911", "6921"
HEAD_OFFICE = "6699"  # of no customer: booked by the extract

Bookings = Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray, int]]  # line, day, place, whole number, scale


def closing_days(simulation: Simulation) -> np.ndarray:
    """Days on which the ledger is closed: month ends of the history, deliveries, and month ends between them."""
    deliveries = np.array(delivery_dates(simulation), dtype="datetime64[D]")
    return np.union1d(month_ends(simulation)[1], simulation.day_numbers(deliveries))


def month_ends(simulation: Simulation) -> tuple[np.ndarray, np.ndarray]:
    """First and last day of the months that are over."""
    firsts, lasts = simulation.months()
    after = simulation.dates(lasts + 1)
    over = after == after.astype("datetime64[M]")
    return firsts[over], lasts[over]


def transfer_prices(simulation: Simulation) -> dict[tuple[str, int, str], tuple[np.ndarray, np.ndarray]]:
    """First days and prices (millionths) of each family x tenor x currency, ascending."""
    columns = catalogue.ftp_columns()
    keys = zip(columns["product_family"].tolist(), columns["tenor_days"].tolist(), columns["currency_code"].tolist(),
               strict=True)  # fmt: skip
    days = simulation.day_numbers(columns["effective_on"].astype("datetime64[D]"))
    found: dict[tuple[str, int, str], list[tuple[int, int]]] = {}
    for key, day, rate in zip(keys, days.tolist(), columns["rate"].tolist(), strict=True):
        found.setdefault(key, []).append((day, round(rate * PARTS_OF_A_RATE)))
    return {key: tuple(np.array(sorted(pairs)).T) for key, pairs in found.items()}


def price_sums(simulation: Simulation) -> np.ndarray:
    """Transfer prices of deposit products added up by day: DEPOSITS x (days + 1); days first..last: [last + 1] - [first]."""
    days, prices = np.arange(simulation.days), transfer_prices(simulation)
    rows = []
    for product in catalogue.DEPOSITS:
        begins, price = prices[product.family, product.term_days or 0, product.currency]
        rows.append(price[np.searchsorted(begins, days, side="right") - 1])
    return np.concatenate([np.zeros((len(rows), 1), dtype=np.int64), np.cumsum(rows, axis=1)], axis=1)


def deposit_bookings(simulation: Simulation, accounts: Accounts, balances: dict[str, np.ndarray]) -> Bookings:
    """What depositors earned, and what the treasury paid for the money; `place` is the account."""
    sums = price_sums(simulation)
    rates = np.array([round(p.rate * PARTS_OF_A_RATE) for p in catalogue.DEPOSITS])
    firsts, lasts = (bounds[: simulation.history_months] for bounds in simulation.months())

    def booked(row: np.ndarray, amount: np.ndarray, day: int, first: int, until: np.ndarray) -> Bookings:
        """Amounts that stood from `first` to the day before `until`."""
        product = accounts.product[row]
        until = np.maximum(until, first)
        on = np.full(row.size, day)
        yield DEPOSIT_INTEREST, on, row, amount * rates[product] * (until - first), INTEREST
        yield TRANSFER_INCOME, on, row, amount * (sums[product, until] - sums[product, first]), INTEREST

    of_basis = balances["basis"] == END_OF_DAY
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        at = np.flatnonzero(~of_basis & (balances["day"] == last))
        yield from booked(balances["account"][at], balances["amount"][at], last, first, np.full(at.size, last + 1))
    stands = np.empty(0, dtype=np.int64)
    before = int(lasts[-1])
    for day in (day for day in closing_days(simulation).tolist() if day > lasts[-1]):
        at = np.flatnonzero(of_basis & (balances["day"] == day))
        row = balances["account"][stands]
        until = np.minimum(accounts.closed[row], day if at.size else day + 1)
        yield from booked(row, balances["amount"][stands], day, before + 1, until)
        if at.size:
            yield from booked(balances["account"][at], balances["amount"][at], day, day, np.full(at.size, day + 1))
            stands = at
        before = day


def loan_bookings(simulation: Simulation, loans: Loans, stated: dict[str, np.ndarray]) -> Bookings:
    """What borrowers owe in interest, what the treasury asks for the money, and the loss expected; `place` is the loan.

    A loan runs from its opening, in the month of its first statement, to the day before it matures. Its transfer price
    is that of its opening day and term; one made before prices were kept has the first.
    """
    terms = {p.product_id: p.term_days for p in catalogue.LENT}
    prices, price = transfer_prices(simulation), np.zeros(loans.spell.size, dtype=np.int64)
    for code, product in enumerate(LOAN_PRODUCTS):
        begins, values = prices["loan", terms[product], "CNY"]
        at = np.maximum(np.searchsorted(begins, loans.opened, side="right") - 1, 0)
        price = np.where(loans.product == code, values[at], price)
    rate, matures = (loans.rate * PARTS_OF_A_RATE).round().astype(np.int64), loans.matures(simulation)
    over, firsts = month_ends(simulation)[1], simulation.months()[0]

    def booked(row: np.ndarray, owed: np.ndarray, day: int, days: np.ndarray) -> Bookings:
        on = np.full(row.size, day)
        yield LOAN_INTEREST, on, row, owed * rate[row] * days, INTEREST
        yield TRANSFER_CHARGE, on, row, owed * price[row] * days, INTEREST

    stands, before = np.flatnonzero(stated["day"] == -1), -1
    for day in closing_days(simulation).tolist():
        at = np.flatnonzero(stated["day"] == day)
        row = stated["loan"][stands]
        until = np.minimum(matures[row], day if at.size else day + 1)
        yield from booked(row, stated["owed"][stands], day, np.maximum(until - before - 1, 0))
        if at.size:
            new = stated["loan"][at]
            month_begins = firsts[np.searchsorted(firsts, day, side="right") - 1]
            begins = np.where(np.isin(new, row), day, np.maximum(loans.opened[new], month_begins))
            yield from booked(new, stated["owed"][at], day, day + 1 - begins)
            stands = at
        if day in over:
            alive = stands[matures[stated["loan"][stands]] > day]
            row = stated["loan"][alive]
            default = (stated["pd"][alive] * PARTS_OF_A_RATE).round().astype(np.int64)
            given = (stated["lgd"][alive] * 100).round().astype(np.int64)
            yield EXPECTED_LOSS, np.full(row.size, day), row, stated["owed"][alive] * default * given, LOSS
        before = day


def cost_bookings(
    simulation: Simulation,
    activity: str,
    channels: tuple[str, ...],
    day: np.ndarray,
    channel: np.ndarray,
    place: np.ndarray,
) -> Bookings:
    """Work done on days, at its full unit cost of the month."""
    costs = catalogue.unit_cost_columns(simulation)
    firsts, closings = simulation.months()[0], closing_days(simulation)
    fen = np.zeros((len(channels), firsts.size), dtype=np.int64)
    months = np.searchsorted(firsts, simulation.day_numbers(np.array(costs["month"], dtype="datetime64[D]")))
    for name, on, month, cost in zip(costs["activity"], costs["channel"], months, costs["full_unit_cost"], strict=True):
        if name == activity and on in channels:
            fen[channels.index(on), month] = int(cost * 100 + 0.5)  # as the extract writes it: halves up
    within = (day >= 0) & (day <= closings[-1])
    day, channel, place = day[within], channel[within], place[within]
    month = np.searchsorted(firsts, day, side="right") - 1
    yield OPERATING_COST, closings[np.searchsorted(closings, day)], place, fen[channel, month], 1


def maintenance_bookings(simulation: Simulation, accounts: Accounts) -> Bookings:
    """An account is kept in every month in which it is open for a day; charged when the month is over."""
    for first, last in zip(*month_ends(simulation), strict=True):
        kept = np.flatnonzero((accounts.opened <= last) & (accounts.closed > first))
        day, channel = np.full(kept.size, last), np.zeros(kept.size, dtype=np.int64)
        yield from cost_bookings(simulation, "account_maintenance", ("system",), day, channel, kept)


def fee_bookings(simulation: Simulation, fees: dict[str, np.ndarray]) -> Bookings:
    """Fees charged, net of what is waived; `place` is the customer."""
    closings = closing_days(simulation)
    at = np.flatnonzero(fees["day"] <= closings[-1])
    day = closings[np.searchsorted(closings, fees["day"][at])]
    yield FEES, day, fees["customer"][at], fees["charged"][at], 1


def perk_bookings(simulation: Simulation, programmes: dict[str, np.ndarray]) -> Bookings:
    """A programme costs its amount in every month with a day of membership; `place` is the customer."""
    for first, last in zip(*month_ends(simulation), strict=True):
        at = np.flatnonzero((programmes["joined"] <= last) & (programmes["left"] > first))
        yield PERKS, np.full(at.size, last), programmes["customer"][at], programmes["cost"][at], 1


def gathered(
    dates: Callable[[np.ndarray], pa.Array], *parts: tuple[np.ndarray, np.ndarray, Bookings]
) -> dict[str, np.ndarray | pa.Array]:
    """Bookings added up by line, day, branch and currency; each part knows the branch and currency of its places."""
    rows = []
    for branch, currency, bookings in parts:
        for line, day, place, amount, scale in bookings:
            cells = (day * BRANCHES + branch[place]) * len(CURRENCIES) + currency[place]
            cells, cell = np.unique(cells, return_inverse=True)
            sums = np.zeros(cells.size, dtype=np.int64)
            np.add.at(sums, cell, amount)
            rows.append((np.full(cells.size, line, dtype=object), np.full(cells.size, scale), cells, sums))
    line, scale, cells, amount = (np.concatenate(column) for column in zip(*rows, strict=True))
    cells, currency = np.divmod(cells, len(CURRENCIES))
    day, branch = np.divmod(cells, BRANCHES)
    codes = pa.DictionaryArray.from_arrays(pa.array(currency, pa.int32()), pa.array(CURRENCIES))
    return {"line": pa.array(line, pa.string()), "scale": scale, "date": dates(day), "branch": branch,
            "currency_code": codes, "amount": amount}  # fmt: skip
