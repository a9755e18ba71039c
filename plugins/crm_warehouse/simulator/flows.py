"""Month by month: money comes in, is spent, traded and sent away, so that every balance follows from postings."""

from dataclasses import dataclass

import numpy as np

from crm_warehouse.simulator import everyday
from crm_warehouse.simulator.books import BUY, REDEEM, UNIT, Accounts, Books, Flows, Month
from crm_warehouse.simulator.catalogue import DEMAND, HELD, TERM
from crm_warehouse.simulator.foreign_accounts import run_foreign_accounts
from crm_warehouse.simulator.journal import DAY, HOUR, HOURS, OWN_NAMES, PERSONS, Journal, rival_code
from crm_warehouse.simulator.lending import Loans
from crm_warehouse.simulator.lives import Lives
from crm_warehouse.simulator.market import Market
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import NEVER, Block
from crm_warehouse.simulator.term_deposits import TERM_DAYS, mature_terms, open_terms, pay_out_terms

HELD_MINIMUM = np.array([p.minimum or 0 for p in HELD]) * 100
TERM_MINIMUM = np.array([p.minimum or 0 for p in TERM]) * 100
IS_FIXED = np.array([p.family in ("insurance", "trust", "bond") for p in HELD])  # bought and kept
IS_CUSTODY = np.array([p.family == "custody" for p in HELD])  # paid through a broker


def run_months(block: Block, lives: Lives, loans: Loans, market: Market) -> Flows:
    """All flows of all spells of a block over the whole window."""
    simulation, spells, rng = block.simulation, lives.spells, block.stream("flows")
    flows, books = _open_books(spells, market, rng)
    habits = everyday.draw_habits(spells, rng) | {"payroll_until": lives.payroll_until}
    bounds = zip(*(days.tolist() for days in simulation.months()), strict=True)
    for number, (first_day, last_day) in enumerate(bounds):
        month = Month(
            number=number,
            first_day=first_day,
            last_day=last_day,
            first=np.maximum(spells.start, first_day),
            last=np.minimum(spells.end - 1, last_day),
            active=(spells.start <= last_day) & (spells.end > first_day),
            opening=(spells.start >= first_day) & (spells.start <= last_day),
            closing=(spells.end >= first_day) & (spells.end <= last_day),
        )
        _run_month(simulation, lives, loans, market, rng, habits, month, flows, books)
    run_foreign_accounts(block, spells, market, flows)
    return flows


def _open_books(spells: Spells, market: Market, rng: np.random.Generator) -> tuple[Flows, Books]:
    """Positions on the eve of history: those already customers hold their portfolio."""
    n = spells.start.size
    aim = np.where(spells.start < 0, spells.target[:, 0] * (1 - spells.usd_share), 0.0)[:, None] * spells.weights * 100
    demand = aim[:, 0].round().astype(np.int64)
    term = aim[:, 1 : 1 + len(TERM)].astype(np.int64) // 100_00 * 100_00
    held = (aim[:, 1 + len(TERM) :] / 100 / market.price[:, 0] * UNIT).astype(np.int64)
    accounts = Accounts(np.arange(n), np.zeros(n, dtype=np.int64), spells.start, spells.end.copy(), demand)
    term_account, matures = np.full(term.shape, -1), np.full(term.shape, NEVER)
    for k, product in enumerate(TERM):
        rows = np.flatnonzero(term[:, k])
        # Opened less than a term ago, so that none has matured before history begins.
        opened = np.maximum(-rng.integers(1, product.term_days, rows.size), spells.start[rows])
        term_account[rows, k] = accounts.add(rows, len(DEMAND) + k, opened, term[rows, k])
        matures[rows, k] = opened + product.term_days
    cost = (held * market.price[:, 0] / UNIT * 100 * rng.uniform(0.85, 1.05, held.shape)).astype(np.int64)
    books = Books(demand, term_account, term, matures, held, cost, dressed=np.zeros(n, dtype=np.int64), day_sums=[])
    return Flows(Journal(), accounts, units=[held], cost=[cost]), books


def _run_month(simulation, lives: Lives, loans, market, rng, habits, month: Month, flows: Flows, books: Books) -> None:
    spells = lives.spells
    n, journal, part = spells.start.size, flows.journal, flows.journal.part_count
    own, account = OWN_NAMES + spells.customer, np.arange(n)
    stays = month.active & ~month.closing

    def some_time() -> np.ndarray:
        return rng.choice(24, n, p=HOURS) * HOUR + rng.integers(0, HOUR, n)

    matured = mature_terms(spells, rng, month, flows, books)
    earned = everyday.post_daily_life(simulation, spells, rng, habits, month, journal)
    earned -= everyday.post_repayments(simulation, spells, loans, month, journal)
    everyday.post_fees(simulation, spells, rng, habits, month, flows)
    everyday.post_interest(simulation, month, journal, books)
    back_out = month.first + rng.integers(0, 3, n)
    journal.post("own_transfer_out", account, back_out, some_time(), -books.dressed, own)

    # What must come in or go out for assets to follow their path. The path holds the market's moves already.
    liquid = books.demand - books.dressed + matured
    held = books.units / UNIT * 100
    assets = liquid + books.term_balance.sum(axis=1) + (held * market.price[:, month.last_day + 1]).sum(axis=1)
    aim = spells.target[:, month.number + 1] * (1 - spells.usd_share) * 100
    gap = aim - (assets + earned)
    moves = stays & (month.opening | ~spells.is_dormant) & (np.abs(gap) > np.maximum(50_00, 0.01 * aim))
    gap = np.where(moves, gap, 0)

    budget = liquid + np.maximum(gap, 0) + 0.5 * earned
    trades = _plan_trades(simulation, spells, market, rng, month, books, aim, budget)
    at_hand = liquid + earned + trades.net_proceeds()
    breaks = (gap < 0) & (-gap - at_hand > 0.1 * aim)  # only broken term deposits can pay for this withdrawal
    # What was renewed this month is not broken in it: its interest may come later than the breaking.
    broken = breaks[:, None] & (books.term_matures - TERM_DAYS < month.first_day)
    at_hand = at_hand + pay_out_terms(spells, month.at(0.66), broken, flows, books)
    gap = np.maximum(gap, -np.maximum(0.97 * at_hand, 0)) // 100 * 100

    came = month.at(np.where(month.opening, 0.0, rng.uniform(0, 0.28, n)))
    journal.post("own_transfer_in", account, came, some_time(), np.where(gap > 0, gap, 0), own)
    people = PERSONS + rng.integers(0, 5000, n)
    routes = (("own_transfer_out", 0.5, own), ("platform_top_up", 0.72, own), ("securities_out", 0.8, own),
              ("transfer_out", 1.0, people))  # fmt: skip
    route = np.searchsorted([share for _, share, _ in routes], rng.random(n))
    # What a rival draws goes to an account of the customer's own there.
    drains = lives.drains
    drawn = drains["month"] == month.number
    rival = np.full(n, -1)
    rival[drains["spell"][drawn]] = drains["rival"][drawn]
    route = np.where(rival >= 0, 0, route)
    for code, (kind, _, party) in enumerate(routes):
        leaves = np.where((gap < 0) & (route == code), gap, 0)
        institution = np.where(rival >= 0, rival_code(rival), -1) if code == 0 else -1
        day, second = month.at(rng.uniform(0.7, 0.97, n)), some_time()
        journal.post(kind, account, day, second, leaves, party, institution=institution)
    _post_trades(trades, own, flows, books)
    open_terms(trades.deposit, trades.day, own, flows, books)

    # Window dressing: money lent in over the month end, above all at quarter ends.
    chance = 0.75 if simulation.dates(month.last_day).item().month % 3 == 0 else 0.25
    dresses = spells.is_window_dresser & stays & (rng.random(n) < chance) & (spells.end > month.last_day + 8)
    books.dressed = np.where(dresses, aim * rng.uniform(0.15, 0.45, n), 0).astype(np.int64) // 100_00 * 100_00
    journal.post("own_transfer_in", account, month.last_day, 16 * HOUR + some_time() // 6, books.dressed, own)
    _settle(spells, month, part, own, flows, books)


@dataclass(frozen=True)
class _Trades:
    """One month's trades, all on one day per spell: spells x HELD (units in millionths, money in fen)."""

    day: np.ndarray
    sold: np.ndarray
    proceeds: np.ndarray
    bought: np.ndarray
    paid: np.ndarray
    deposit: np.ndarray  # into new term deposits: spells x TERM

    def net_proceeds(self) -> np.ndarray:
        return self.proceeds.sum(axis=1) - self.paid.sum(axis=1) - self.deposit.sum(axis=1)


def _plan_trades(simulation, spells, market, rng, month: Month, books: Books, aim, budget) -> _Trades:
    """Moves holdings towards the wanted portfolio within the budget; whoever closes sells all on the closing day."""
    n = spells.start.size
    stays = (month.active & ~month.closing & ~spells.is_dormant)[:, None]
    day = np.where(month.closing, spells.end, month.at(rng.uniform(0.3, 0.65, n)))
    # Spells that are not there get some day within the market's dates; they trade nothing.
    price = market.price[:, np.clip(day, 0, simulation.days - 1) + 1].T
    wanted = aim[:, None] * spells.weights[:, 1 + len(TERM) :]
    difference = wanted - books.units * price / UNIT * 100
    size = np.abs(difference)
    moves = (size > 0.12 * wanted) & (rng.random(wanted.shape) < 0.5) | (books.units == 0)
    moves &= stays & (size >= 100_00) & ~(IS_FIXED & ((difference < 0) | (books.units > 0) & (size < 0.5 * wanted)))

    sold = np.minimum((size / 100 / price * UNIT).astype(np.int64), books.units)
    sold = np.where(moves & (difference < 0), sold, 0)
    sold[month.closing] = books.units[month.closing]
    proceeds = (sold * price / UNIT * 100).round().astype(np.int64)

    buying = np.where(moves & (difference > 0), difference, 0)
    starts = stays & (books.term_account < 0) & ((rng.random((n, len(TERM))) < 0.6) | month.opening[:, None])
    deposit = np.where(starts, aim[:, None] * spells.weights[:, 1 : 1 + len(TERM)], 0)
    outlay = buying.sum(axis=1) + deposit.sum(axis=1)
    budget = budget + proceeds.sum(axis=1)
    affordable = np.clip(np.divide(budget, outlay, out=np.zeros(n), where=outlay > 0), 0, 1)[:, None]
    bought = (buying * affordable / 100 / price * UNIT).astype(np.int64)
    paid = (bought * price / UNIT * 100).round().astype(np.int64)
    is_enough = paid >= np.where(books.units > 0, 100_00, HELD_MINIMUM)
    deposit = (deposit * affordable).astype(np.int64) // 1000_00 * 1000_00
    return _Trades(
        day=day,
        sold=sold,
        proceeds=proceeds,
        bought=np.where(is_enough, bought, 0),
        paid=np.where(is_enough, paid, 0),
        deposit=np.where(deposit >= TERM_MINIMUM, deposit, 0),
    )


def _post_trades(trades: _Trades, own: np.ndarray, flows: Flows, books: Books) -> None:
    """Sales in the morning, purchases in the afternoon; cost falls in proportion to what is sold."""
    account = np.arange(own.size)
    for column in range(len(HELD)):
        sale, purchase = ("securities_in", "securities_out") if IS_CUSTODY[column] else (
            "investment_redemption", "investment_purchase")  # fmt: skip
        second = 10 * HOUR + 60 * column
        flows.journal.post(sale, account, trades.day, second, trades.proceeds[:, column], own)
        flows.journal.post(purchase, account, trades.day, second + 4 * HOUR, -trades.paid[:, column], own)
        for side, units, amount in (
            (REDEEM, trades.sold[:, column], trades.proceeds[:, column]),
            (BUY, trades.bought[:, column], trades.paid[:, column]),
        ):
            spell = np.flatnonzero(units)
            flows.orders.append((spell, np.full(spell.size, column), trades.day[spell], np.full(spell.size, side),
                                 units[spell], amount[spell]))  # fmt: skip
    sold_part = np.divide(trades.sold, books.units, out=np.zeros(trades.sold.shape), where=books.units > 0)
    books.cost = (books.cost * (1 - sold_part)).round().astype(np.int64) + trades.paid
    books.units = books.units - trades.sold + trades.bought
    flows.trade_day.append(trades.day)
    flows.units.append(books.units)
    flows.cost.append(books.cost)


def _settle(spells, month: Month, part: int, own: np.ndarray, flows: Flows, books: Books) -> None:
    """Cover overdrafts, pay out those who close, and carry demand balances to the month's end."""
    n = spells.start.size
    pay_out_terms(spells, spells.end, month.closing, flows, books)
    account, second, amount, *_ = flows.journal.columns_from(part)
    on_demand = np.flatnonzero(account < n)
    on_demand = on_demand[np.lexsort((amount[on_demand], second[on_demand], account[on_demand]))]
    account, second, amount = account[on_demand], second[on_demand], amount[on_demand]
    running = np.cumsum(amount)
    before = np.append(0, running)[np.searchsorted(account, np.arange(n))]
    lowest = np.zeros(n, dtype=np.int64)
    np.minimum.at(lowest, account, running - before[account] + books.demand[account])
    # Whoever would run out of money moves some over beforehand, in the early hours of the first day.
    cover = -(lowest // 100_00) * 100_00
    flows.journal.post("own_transfer_in", np.arange(n), month.first, HOUR + np.arange(n) % 7200, cover, own)

    # Interest is paid on day sums: a posting counts for its own day and every later one of the month.
    weighted = np.bincount(account, amount * (month.last_day - second // DAY + 1.0), minlength=n)
    weighted += books.demand * (month.last_day - month.first_day + 1) + cover * (month.last_day - month.first + 1)
    books.day_sums.append(weighted)
    books.demand = books.demand + cover + np.bincount(account, amount, minlength=n).astype(np.int64)
    rest = np.where(month.closing, books.demand, 0)
    flows.journal.post("closing_payout", np.arange(n), spells.end, 17 * HOUR, -rest, own)
    books.demand = books.demand - rest
