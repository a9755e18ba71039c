"""Everyday postings: salaries, purchases, loan instalments, fees and interest on demand deposits."""

import numpy as np

from crm_warehouse.simulator.books import Books, Flows, Month
from crm_warehouse.simulator.business_days import spring_festivals
from crm_warehouse.simulator.catalogue import DEMAND
from crm_warehouse.simulator.journal import EMPLOYERS, HOUR, HOURS, MERCHANTS, OWN_NAMES, PERSONS, Journal
from crm_warehouse.simulator.lending import Loans
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import Simulation

FEES = (("sms_notification", 2_00), ("annual_account", 10_00))  # list amounts in fen
WAIVERS = ("tier_benefit", "payroll_customer", "retention_offer")


def draw_habits(spells: Spells, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Monthly income and habits, which stay with a spell; money in fen."""
    n = spells.start.size
    salary = 6_500 * (np.maximum(spells.wealth, 500) / 5_000) ** 0.2 * rng.lognormal(0, 0.35, n) * spells.is_payroll
    spending = np.where(spells.is_payroll, 0.7 * salary, np.minimum(0.15 * spells.wealth, 4_000))
    activity = np.where(spells.is_payroll, 6.0, np.where(spells.wealth > 5_000, 5.0, 1.6))
    return {
        "salary": salary * 100,
        "spending": spending * 100,
        "activity": np.where(spells.is_dormant, 0.0, activity),
        "payday": rng.uniform(0.15, 0.55, n),
        "employer": EMPLOYERS + rng.integers(0, 60 + n // 100, n),
        "favourite_shop": rng.integers(0, 400, n),
        "sms": rng.random(n) < 0.5,
        # Pay that is swept out at once to where the customer really banks.
        "sweeps": spells.is_payroll & (spells.wealth < 8_000),
    }


def post_daily_life(simulation: Simulation, spells: Spells, rng, habits, month: Month, journal: Journal) -> np.ndarray:
    """Salaries in, purchases and cash out; a thirteenth salary and much cash before the Spring Festival. Returns what is left of the salary, in fen by spell (often below 0)."""
    n = spells.start.size
    account, own = np.arange(n), OWN_NAMES + spells.customer
    works = month.active & ~month.closing & ~month.opening
    festive = np.isin(simulation.dates(month.last_day).astype("datetime64[M]"), festive_months())
    paid = works & (month.number < habits["payroll_until"])
    salary = (habits["salary"] * (2.0 if festive else 1.0) * rng.lognormal(0, 0.03, n)).astype(np.int64) * paid
    payday = month.at(habits["payday"])
    journal.post("payroll", account, payday, 9 * HOUR + account % 1800, salary, habits["employer"])
    swept = np.where(habits["sweeps"], salary * rng.uniform(0.5, 0.95, n), 0).astype(np.int64) // 100_00 * 100_00
    later = 10 * HOUR + account * 7919 % (11 * HOUR)  # pay comes in at nine
    journal.post("platform_top_up", account, payday, later, -swept, own)

    times = rng.poisson(habits["activity"] * (1.4 if festive else 1.0)) * (month.active & (month.last >= month.first))
    spell = np.repeat(account, times)
    each = habits["spending"] * np.where(habits["sweeps"], 0.3, 1.0) / np.maximum(times, 1)
    amount = np.maximum(each[spell] * rng.lognormal(-0.32, 0.8, spell.size), 1_00).astype(np.int64)
    day = month.at(rng.random(spell.size), spell)
    second = rng.choice(24, spell.size, p=HOURS) * HOUR + rng.integers(0, HOUR, spell.size)
    shares = {"platform_purchase": 0.52, "merchant_purchase": 0.16, "cash_withdrawal": 0.09, "transfer_out": 0.07,
              "lender_repayment": 0.02, "transfer_in": 0.08, "platform_withdrawal": 0.06}  # fmt: skip
    if festive:  # red envelopes want cash
        shares |= {"cash_withdrawal": 0.24, "platform_purchase": 0.37}
    kinds = list(shares)
    kind = rng.choice(len(kinds), spell.size, p=list(shares.values()))
    is_kind = {name: kind == code for code, name in enumerate(kinds)}
    amount = np.where(is_kind["cash_withdrawal"], np.maximum(amount // 100_00, 1) * 100_00, amount)
    is_usual = rng.random(spell.size) < 0.4
    shop = MERCHANTS + np.where(is_usual, habits["favourite_shop"][spell], rng.integers(0, 400, spell.size))
    is_shop = is_kind["platform_purchase"] | is_kind["merchant_purchase"]
    is_person = is_kind["transfer_out"] | is_kind["transfer_in"]
    party = np.select([is_shop, is_kind["cash_withdrawal"], is_person], [shop, -1, PERSONS + spell % 997], own[spell])
    signed = np.where(is_kind["transfer_in"] | is_kind["platform_withdrawal"], amount, -amount)
    # One platform purchase in five hundred is taken back the next day.
    returned = is_kind["platform_purchase"] & (rng.random(spell.size) < 0.002) & (day < month.last[spell])
    pair = np.where(returned, month.number * 10**9 + np.arange(spell.size), -1)
    for name in kinds:
        rows = np.flatnonzero(is_kind[name])
        journal.post(name, spell[rows], day[rows], second[rows], signed[rows], party[rows], pair[rows])
    rows = np.flatnonzero(returned)
    later = second[rows] // 2 + 3 * HOUR
    journal.post("reversal", spell[rows], day[rows] + 1, later, amount[rows], party[rows], pair[rows])
    return salary - swept + np.bincount(spell, signed * ~returned, minlength=n)


def festive_months() -> np.ndarray:
    """Months that end before or in which the Spring Festival begins: the pay before the holiday falls in them."""
    return (spring_festivals() - 10).astype("datetime64[M]")


def post_repayments(simulation: Simulation, spells: Spells, loans: Loans, month: Month, journal: Journal) -> np.ndarray:
    """Loan instalments by direct debit, brought in that morning by those who keep little here. Fen by spell."""
    paid = loans.paid(simulation, month.last_day) - loans.paid(simulation, month.first_day - 1)
    is_live = (loans.opened < month.first_day) & (month.last_day < loans.matures(simulation))
    amount = np.where(is_live, paid, 0) * loans.instalment()
    day_of_month = (simulation.dates(loans.opened) - simulation.dates(loans.opened).astype("datetime64[M]")).astype(
        np.int64
    )
    day = np.minimum(month.first_day + day_of_month, month.last_day)
    brings = spells.wealth[loans.spell] < 50_000
    brought = np.where(brings, amount, 0)
    journal.post("own_transfer_in", loans.spell, day, 7 * HOUR, brought, OWN_NAMES + spells.customer[loans.spell])
    journal.post("loan_repayment", loans.spell, day, 8 * HOUR, -amount, OWN_NAMES + spells.customer[loans.spell])
    return np.bincount(loans.spell, amount - brought, minlength=spells.start.size)


def post_fees(simulation: Simulation, spells: Spells, rng, habits, month: Month, flows: Flows) -> None:
    """Message fees monthly and account fees yearly, waived for the richer, the salaried and some others."""
    n = spells.start.size
    stays = month.active & ~month.closing & ~month.opening & ~spells.is_dormant
    anniversary = (simulation.dates(spells.start).astype("datetime64[M]").astype(np.int64)) % 12
    this_month = simulation.dates(month.first_day).astype("datetime64[M]").astype(np.int64) % 12
    for code, (applies, day) in enumerate(((habits["sms"], month.at(0.9)), (anniversary == this_month, month.at(0.5)))):
        spell = np.flatnonzero(applies & stays)
        listed = np.full(spell.size, FEES[code][1])
        draw = rng.random(n)[spell]
        is_rich = spells.target[spell, month.number] >= 50_000
        waiver = np.select([is_rich, spells.is_payroll[spell] & (draw < 0.5), draw > 0.96], [0, 1, 2], -1)
        charged = np.where(waiver >= 0, 0, listed)
        flows.journal.post("fee", spell, day[spell], 22 * HOUR, -charged)
        flows.fees.append({
            "account": spell, "customer": spells.customer[spell], "day": day[spell], "fee": np.full(spell.size, code),
            "listed": listed, "charged": charged, "waiver": waiver,
        })  # fmt: skip


def post_interest(simulation: Simulation, month: Month, journal: Journal, books: Books) -> None:
    """Quarterly on the 21st, on the daily balances of the three months before."""
    if simulation.dates(month.first_day).item().month % 3 or not books.day_sums:
        return
    day = month.first_day + 20
    interest = sum(books.day_sums[-3:]) * DEMAND[0].rate / 360
    pays = (month.first <= day) & (day <= month.last) & month.active
    journal.post("interest", np.arange(pays.size), day, 5 * HOUR, np.where(pays, interest, 0).astype(np.int64))
