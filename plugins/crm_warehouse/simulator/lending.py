"""Loans and credit cards."""

from dataclasses import dataclass

import numpy as np

from crm_warehouse.simulator.lives import LIFE_EVENTS, Lives
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import NEVER, Block, Simulation

LOAN_PRODUCTS = ("LN-MTG", "LN-CON", "LN-OPR")


@dataclass(frozen=True)
class Loans:
    """One row per loan; amounts in fen, days as day numbers."""

    spell: np.ndarray
    product: np.ndarray  # code into LOAN_PRODUCTS
    principal: np.ndarray
    rate: np.ndarray  # yearly, 4 decimals
    opened: np.ndarray
    instalments: np.ndarray  # months in all
    loss_given_default: np.ndarray
    pd: np.ndarray  # 12-month probability of default while nothing is overdue
    arrears_from: np.ndarray  # instalments are missed from this day, NEVER for most
    arrears_until: np.ndarray

    def matures(self, simulation: Simulation) -> np.ndarray:
        return simulation.day_numbers(_add_months(simulation.dates(self.opened), self.instalments))

    def instalment(self) -> np.ndarray:
        """Monthly payment in fen; business loans pay interest only until they mature."""
        monthly = self.rate / 12
        annuity = self.principal * monthly / (1 - (1 + monthly) ** -self.instalments)
        return np.where(self.product == 2, self.principal * monthly, annuity).round().astype(np.int64)

    def paid(self, simulation: Simulation, day: int | np.ndarray) -> np.ndarray:
        """Instalments paid by the end of a day; missed ones are never caught up."""

        def due(until: int | np.ndarray) -> np.ndarray:
            return np.maximum(_months_between(simulation.dates(self.opened), simulation.dates(until)), 0)

        missed = due(np.minimum(day, self.arrears_until - 1)) - due(np.minimum(day, self.arrears_from - 1))
        return due(day) - np.where(self.arrears_from == NEVER, 0, missed)

    def outstanding(self, simulation: Simulation, day: int) -> np.ndarray:
        """Principal still owed at the end of a day, in fen; 0 before opening and from maturity on."""
        grown = (1 + self.rate / 12) ** self.paid(simulation, day)
        whole = (1 + self.rate / 12) ** self.instalments
        owed = np.where(self.product == 2, self.principal, self.principal * (whole - grown) / (whole - 1))
        is_live = (self.opened <= day) & (day < self.matures(simulation))
        return np.where(is_live, np.maximum(owed, 0), 0).round().astype(np.int64)

    def days_past_due(self, day: int) -> np.ndarray:
        return np.where((self.arrears_from <= day) & (day < self.arrears_until), day - self.arrears_from + 1, 0)


def _day_in_month(dates: np.ndarray) -> np.ndarray:
    """Days since the first of the month."""
    return (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)


def _add_months(dates: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Dates some months on; loans are never opened after the 28th, so the day exists in every month."""
    return (dates.astype("datetime64[M]") + months).astype("datetime64[D]") + _day_in_month(dates)


def _months_between(opened: np.ndarray, until: np.ndarray) -> np.ndarray:
    """Whole months from opened to until."""
    months = (until.astype("datetime64[M]") - opened.astype("datetime64[M]")).astype(np.int64)
    return months - (_day_in_month(until) < _day_in_month(opened))


def draw_loans(block: Block, lives: Lives) -> Loans:
    """Loans of about 12 % of customers, none of whom leaves; who bought a house here in the window has a mortgage."""
    simulation, spells, rng = block.simulation, lives.spells, block.stream("lending")
    # A loan is settled before its holder may close: those who close have none.
    may_borrow = np.flatnonzero((spells.end == NEVER) & (spells.start < simulation.days - 120) & ~spells.is_dormant)
    borrowers = rng.permutation(may_borrow)[: round(0.12 * block.size)]
    bought = lives.events["event"] == list(LIFE_EVENTS).index("house_purchase")
    bought &= np.isin(lives.events["spell"], may_borrow)
    house, first_house = np.unique(lives.events["spell"][bought], return_index=True)
    spell = np.sort(np.union1d(borrowers, house))
    n = spell.size
    is_house = np.isin(spell, house)
    product = np.where(is_house, 0, rng.choice(3, n, p=(0.5, 0.3, 0.2)))
    instalments = np.array([[240, 300, 360], [24, 36, 36], [36, 36, 60]])[product, rng.integers(0, 3, n)]
    size = np.array([700_000, 60_000, 400_000])[product] * rng.lognormal(0, 0.5, n)
    size *= np.clip((spells.wealth[spell] / 20_000) ** 0.15, 0.5, 3)
    rate = np.array([0.034, 0.042, 0.039])[product] + rng.normal(0, 0.004, n)
    oldest = -np.array([2500, 500, 700])[product]
    opened = np.maximum(rng.integers(oldest, np.minimum(-oldest // 2, simulation.days - 30)), spells.start[spell] + 1)
    house_day = simulation.months()[0][lives.events["month"][bought][first_house]] + 9
    opened[is_house] = np.minimum(np.maximum(house_day, spells.start[house] + 1), simulation.days - 30)
    # From the 29th on, move to the 2nd or 3rd of the next month: the opening day must exist in every month.
    opened += np.where(_day_in_month(simulation.dates(opened)) > 27, 4, 0)
    is_late = (rng.random(n) < 0.05) & (opened < simulation.days - 90)
    is_late[: min(2, n)] |= opened[: min(2, n)] < simulation.days - 90
    late_from = rng.integers(np.clip(opened + 40, 0, simulation.days - 20), simulation.days)
    return Loans(
        spell=spell, product=product, principal=(size.round(-3) * 100).astype(np.int64), rate=rate.round(4),
        opened=opened, instalments=instalments, loss_given_default=np.array([0.20, 0.60, 0.45])[product].round(4),
        pd=np.clip(np.array([0.004, 0.015, 0.018])[product] * rng.lognormal(0, 0.5, n), 0.0003, 0.5).round(6),
        arrears_from=np.where(is_late, late_from, NEVER),
        arrears_until=np.where(is_late, late_from + rng.integers(5, 150, n), NEVER),
    )  # fmt: skip


def loan_columns(simulation: Simulation, spells: Spells, loans: Loans, days: np.ndarray) -> dict[str, np.ndarray]:
    """Loan positions at the ends of days: one row per live loan and day, by day."""
    parts = []
    for day in days:
        owed = loans.outstanding(simulation, int(day))
        live = np.flatnonzero(owed > 0)
        overdue = loans.days_past_due(int(day))[live]
        pd = np.where(overdue >= 90, 1.0, np.minimum(loans.pd[live] * (1 + overdue * 0.4), 0.9)).round(6)
        parts.append((live, np.full(live.size, day), owed[live], overdue, pd))
    live, day, owed, overdue, pd = (np.concatenate(part) for part in zip(*parts, strict=True))
    return {
        "loan": live, "day": day, "customer": spells.customer[loans.spell[live]], "product": loans.product[live],
        "principal": loans.principal[live], "owed": owed, "rate": loans.rate[live], "opened": loans.opened[live],
        "matures": loans.matures(simulation)[live], "overdue": overdue, "pd": pd, "lgd": loans.loss_given_default[live],
    }  # fmt: skip


def card_columns(block: Block, spells: Spells) -> dict[str, np.ndarray]:
    """Cards by card x month: what is owed changes monthly; limit and owed in fen."""
    simulation, rng = block.simulation, block.stream("cards")
    months = simulation.months()[0].size
    spell = np.flatnonzero((rng.random(spells.start.size) < 0.35) & ~spells.is_dormant)
    n = spell.size
    limit = 8_000 * (spells.wealth[spell] / 5_000) ** 0.3 * rng.lognormal(0, 0.4, n)
    limit = np.clip(limit, 3_000, 300_000) // 1000 * 1000
    issued = np.maximum(spells.start[spell] + rng.integers(0, 400, n), spells.start[spell])
    use = np.clip(rng.beta(1.2, 4, n)[:, None] * rng.lognormal(0, 0.35, (n, months)), 0, 0.98)
    kept = issued < np.minimum(spells.end[spell], simulation.days)
    card, month = np.nonzero(np.repeat(kept[:, None], months, axis=1))
    limit, customer, issued, closed = (c[card] for c in (limit, spells.customer[spell], issued, spells.end[spell]))
    return {
        "card": card, "month": month, "customer": customer, "issued": issued, "closed": closed,
        "limit": (limit * 100).astype(np.int64), "owed": (limit * use[card, month] * 100).astype(np.int64),
    }  # fmt: skip
