"""Everything that is simulated, as Arrow tables that the extract queries read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from crm_warehouse.simulator import (
    campaigns,
    catalogue,
    journal,
    lending,
    managers,
    profits,
    relations,
    service,
    wallets,
)
from crm_warehouse.simulator.books import Flows
from crm_warehouse.simulator.business_days import calendar_columns
from crm_warehouse.simulator.everyday import FEES, WAIVERS
from crm_warehouse.simulator.flows import run_months
from crm_warehouse.simulator.links import LINK_TYPES, link_people
from crm_warehouse.simulator.lives import Lives, live
from crm_warehouse.simulator.market import CURRENCIES, draw_market, series_columns
from crm_warehouse.simulator.population import Population, draw_population
from crm_warehouse.simulator.positions import BASES, balance_columns, holding_columns
from crm_warehouse.simulator.prospects import SOURCES, prospect_columns
from crm_warehouse.simulator.simulation import NEVER, Block, Simulation, delivery_dates
from crm_warehouse.simulator.surveys import QUESTIONS, survey_columns
from crm_warehouse.simulator.truth import bank_truth, block_truth

Columns = dict[str, np.ndarray | pa.Array]
Tables = Iterator[tuple[str, Columns | pa.Table]]


def coded(codes: np.ndarray, names: Sequence[str]) -> pa.Array:
    """Texts by their position in names, which may repeat; negative codes are null."""
    texts = list(dict.fromkeys(names))
    position = np.array([texts.index(name) for name in names], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(position[codes], mask=codes < 0), pa.array(texts))


class Calendar:
    """Dates of day numbers, and which delivery a day's events go out with."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.deliveries = np.array(delivery_dates(simulation), dtype="datetime64[D]")
        self.sent_days = simulation.day_numbers(self.deliveries)

    def dates(self, days: np.ndarray) -> pa.Array:
        """Dates; what has not happened is null."""
        return pa.array(self.simulation.dates(np.where(days >= NEVER, 0, days)), mask=days >= NEVER)

    def sent(self, columns: dict[str, np.ndarray], **texts: pa.Array) -> pa.Table:
        """With `date` and `sent_on`, the delivery an event goes out with; what is too late for the last is left out."""
        delivery = np.searchsorted(self.sent_days, columns["day"])
        kept = delivery < self.sent_days.size
        arrays = {name: pa.array(column) for name, column in columns.items() if name not in texts} | texts
        arrays["date"] = self.dates(columns["day"])
        arrays["sent_on"] = pa.array(self.deliveries[np.minimum(delivery, self.sent_days.size - 1)])
        return pa.table(arrays).filter(pa.array(kept))


def bank_tables(simulation: Simulation) -> Tables:
    """What is not about customers: the bank's own tables, the same for every block."""
    calendar = Calendar(simulation)
    market = draw_market(simulation)
    yield "branches", catalogue.branch_columns()
    yield "calendar", calendar_columns()
    yield "institutions", catalogue.institution_columns()
    yield "market_series", series_columns(simulation)
    yield "ftp_rates", catalogue.ftp_columns()
    yield "unit_costs", catalogue.unit_cost_columns(simulation)
    yield "products", catalogue.product_columns()
    days = np.arange(-1, simulation.days)
    fx = {"day": np.repeat(days, len(CURRENCIES)), "rate": market.cny_per_unit.T.ravel()}
    yield "fx_rates", calendar.sent(fx, currency=coded(np.tile(np.arange(len(CURRENCIES)), days.size), CURRENCIES))
    held = [p.product_id for p in catalogue.HELD]
    navs = {"day": np.repeat(days, len(held)), "nav": market.price.T.ravel()}
    yield "navs", calendar.sent(navs, product_id=coded(np.tile(np.arange(len(held)), days.size), held))
    staff = managers.draw_managers(simulation)
    yield "relationship_managers", {
        "manager": np.arange(staff.left.size), "branch": staff.branch, "grade": coded(staff.grade, managers.GRADES),
        "hired_on": calendar.dates(staff.hired), "left_on": calendar.dates(staff.left),
        "leave_reason": coded(staff.reason, managers.LEAVE_REASONS),
    }  # fmt: skip
    yield "targets", managers.target_columns(simulation, staff)
    run = campaigns.draw_campaigns(simulation)
    offer = [campaigns.OFFERS[code] for code in run.offer]
    yield "campaigns", {
        "campaign": np.arange(run.month.size), "name": pa.array([name for name, *_ in offer]),
        "product_id": pa.array([product for _, product, *_ in offer], pa.string()),
        "channel": coded(run.channel, campaigns.CHANNELS), "starts_on": calendar.dates(run.starts),
        "ends_on": calendar.dates(run.ends), "cost": run.cost,
    }  # fmt: skip
    for name, truth in bank_truth(simulation, staff, run).items():
        yield f"truth_{name}", truth


def block_tables(block: Block) -> Tables:
    """Everything about the customers of one block, and the truth about them."""
    simulation, calendar = block.simulation, Calendar(block.simulation)
    market, staff = draw_market(simulation), managers.draw_managers(simulation)
    run = campaigns.draw_campaigns(simulation)
    population = draw_population(block, market)
    lives = live(block, population, staff, run)
    spells = lives.spells
    links, firms, alike = link_people(block, population)
    population = replace(population, customers=population.customers | alike)
    loans = lending.draw_loans(block, lives)
    flows = run_months(block, lives, loans, market)
    holders = relations.holder_columns(block, spells, flows.accounts.spell)

    yield "customers", _customer_columns(block, population, lives, calendar)
    yield "firms", firms | {
        "owner": block.first + firms["owner"], "onboarded_on": calendar.dates(firms["onboarded"])
    }  # fmt: skip
    yield "customer_links", links | {
        "customer": block.first + links["customer"], "linked": block.first + links["linked"],
        "type": coded(links["type"], LINK_TYPES), "valid_from": calendar.dates(links["from"]),
    }  # fmt: skip
    yield from _account_tables(block, population, spells, flows, holders, calendar)
    held = [p.product_id for p in catalogue.HELD]
    holdings = holding_columns(simulation, spells, flows, market, simulation.history_months, calendar.sent_days[1:])
    holdings["customer"] += block.first
    yield (
        "holdings",
        calendar.sent(holdings, product_id=coded(holdings["product"], held), basis=coded(holdings["basis"], BASES)),
    )
    yield "orders", _orders(block, spells, flows, calendar, held)
    yield from _lending_tables(block, population, spells, loans, calendar)
    yield from _relation_tables(block, population, lives, staff, run, calendar)
    for name, truth in block_truth(block, population, lives, holders).items():
        yield f"truth_{name}", truth
    yield "truth_platform_stocks", wallets.platform_stocks(block, spells, flows)


def _customer_columns(block: Block, population: Population, lives: Lives, calendar: Calendar) -> Columns:
    """Customers with both of their spells: who never came back has no second onboarding."""
    n, spells = block.size, lives.spells
    again, closed_again = np.full(n, NEVER), np.full(n, NEVER)
    again[spells.customer[n:]], closed_again[spells.customer[n:]] = spells.start[n:], spells.end[n:]
    columns = population.customers
    return columns | {
        "customer": block.first + np.arange(n), "branch": population.branch,
        "onboarded_on": calendar.dates(spells.start[:n]), "closed_on": calendar.dates(spells.end[:n]),
        "onboarded_again_on": calendar.dates(again), "closed_again_on": calendar.dates(closed_again),
        "declared_wealth_amount": pa.array(columns["declared_wealth_amount"], from_pandas=True),  # NaN is null
        "changed_on": calendar.dates(columns["changes"]), "rated_until": calendar.dates(columns["rated_until"]),
    }  # fmt: skip


def _account_tables(
    block: Block, population: Population, spells, flows: Flows, holders: dict[str, np.ndarray], calendar: Calendar
) -> Tables:
    simulation, accounts = block.simulation, flows.accounts
    number = block.numbered(np.arange(accounts.spell.size), 10**6)
    products, currencies = zip(*((p.product_id, p.currency) for p in catalogue.DEPOSITS), strict=True)
    branch = population.branch[spells.customer[accounts.spell]]
    home = population.branch, population.branch * 0
    yield "accounts", {
        "account": number, "customer": block.first + spells.customer[accounts.spell],
        "product_id": coded(accounts.product, products), "currency_code": coded(accounts.product, currencies),
        "branch": branch, "opened_on": calendar.dates(accounts.opened), "closed_on": calendar.dates(accounts.closed),
        "is_dormant": spells.is_dormant[accounts.spell],
    }  # fmt: skip
    opened = calendar.dates(accounts.opened).take(pa.array(holders["account"]))
    yield "account_holders", holders | {
        "account": number[holders["account"]], "customer": block.first + holders["customer"], "opened_on": opened
    }  # fmt: skip

    postings = flows.journal.columns_from(0)
    balances = balance_columns(simulation, accounts, postings, simulation.history_months, calendar.sent_days[1:])
    row = balances["account"]
    yield "balances", calendar.sent(
        balances | {"account": number[row], "branch": branch[row]},
        basis=coded(balances["basis"], BASES), currency_code=coded(balances["product"], currencies),
        product_id=coded(balances["product"], products),
    )  # fmt: skip
    posted = journal.described(postings, simulation.first_transaction_day)
    row = posted["account"]
    currency = np.array([CURRENCIES.index(p.currency) for p in catalogue.DEPOSITS])[accounts.product]
    yield "profits_of_accounts", profits.gathered(
        calendar.dates,
        (branch, currency, profits.deposit_bookings(simulation, accounts, balances)),
        (branch, currency * 0, profits.maintenance_bookings(simulation, accounts)),
        (branch, currency * 0, profits.cost_bookings(
            simulation, "transaction", journal.CHANNELS, posted["day"], posted["channel"], posted["account"])),
    )  # fmt: skip
    number_of = block.numbered(np.arange(row.size), 10**9)
    reversal_of = np.where(posted["reversal_of"] >= 0, posted["reversal_of"] + block.number * 10**9, -1)
    yield "transactions", calendar.sent(
        posted | {"transaction": number_of, "reversal_of": reversal_of, "account": number[row]},
        transaction_type=coded(posted["kind"], [k.transaction_type for k in journal.KINDS.values()]),
        channel=coded(posted["channel"], journal.CHANNELS),
        institution=coded(posted["institution"], journal.institution_names()),
        counterparty=coded(posted["counterparty"], journal.COUNTERPARTY_TYPES),
        currency_code=coded(accounts.product[row], currencies),
    )  # fmt: skip
    fees = {name: np.concatenate([part[name] for part in flows.fees]) for name in flows.fees[0]}
    order = np.lexsort((fees["fee"], fees["account"], fees["day"]))
    fees = {name: column[order] for name, column in fees.items()}
    yield "profits_of_fees", profits.gathered(calendar.dates, (*home, profits.fee_bookings(simulation, fees)))
    yield "fees", calendar.sent(
        fees | {"number": block.numbered(np.arange(order.size), 10**7), "account": number[fees["account"]],
                "customer": block.first + fees["customer"]},
        fee=coded(fees["fee"], [name for name, _ in FEES]), waiver=coded(fees["waiver"], WAIVERS),
    )  # fmt: skip


def _orders(block: Block, spells, flows: Flows, calendar: Calendar, held: list[str]) -> pa.Table:
    """Orders as they were carried out, one day each, by day."""
    spell, product, day, side, units, amount = (np.concatenate(column) for column in zip(*flows.orders, strict=True))
    order = np.lexsort((side, product, spell, day))
    columns = {"customer": block.first + spells.customer[spell], "day": day, "units": units, "amount": amount}
    columns = {name: column[order] for name, column in columns.items()}
    columns["order_number"] = block.numbered(np.arange(order.size), 10**7)
    return calendar.sent(
        columns, product_id=coded(product[order], held), side=coded(side[order], ("buy", "redeem"))
    )  # fmt: skip


def _lending_tables(block: Block, population: Population, spells, loans, calendar: Calendar) -> Tables:
    # The day before history opens it: what is owed in the first month is known from its first day.
    history_ends = block.simulation.months()[1][: block.simulation.history_months]
    days = np.concatenate([[-1], history_ends, calendar.sent_days[1:]])
    columns = lending.loan_columns(block.simulation, spells, loans, days)
    branch = population.branch[spells.customer[loans.spell]]
    yield "profits_of_loans", profits.gathered(
        calendar.dates, (branch, branch * 0, profits.loan_bookings(block.simulation, loans, columns))
    )  # fmt: skip
    yield "loans", calendar.sent(
        columns | {"loan": block.numbered(columns["loan"], 10**5), "customer": block.first + columns["customer"],
                   "branch": population.branch[columns["customer"]]},
        product_id=coded(columns["product"], lending.LOAN_PRODUCTS), opened_on=calendar.dates(columns["opened"]),
        matures_on=calendar.dates(columns["matures"]),
    )  # fmt: skip
    cards = lending.card_columns(block, spells)
    months = calendar.dates(block.simulation.months()[0])
    yield "cards", cards | {
        "card": block.numbered(cards["card"], 10**5), "customer": block.first + cards["customer"],
        "branch": population.branch[cards["customer"]], "month": months.take(pa.array(cards["month"])),
        "issued_on": calendar.dates(cards["issued"]), "closed_on": calendar.dates(cards["closed"]),
    }  # fmt: skip


def _relation_tables(block: Block, population: Population, lives: Lives, staff, run, calendar: Calendar) -> Tables:
    spells, home = lives.spells, (population.branch, population.branch * 0)
    assignments = relations.assignment_columns(block, lives, staff)
    yield "rm_assignments", assignments | {
        "customer": block.first + assignments["customer"], "role": coded(assignments["role"], relations.ROLES),
        "valid_from": calendar.dates(assignments["from"]), "valid_to": calendar.dates(assignments["to"]),
    }  # fmt: skip
    contacts = relations.contact_columns(block, lives, staff, assignments)
    yield "contacts", calendar.sent(
        contacts | {"contact": block.numbered(np.arange(contacts["day"].size), 10**7),
                    "customer": block.first + contacts["customer"]},
        channel=coded(contacts["channel"], relations.CONTACT_CHANNELS),
        purpose=coded(contacts["purpose"], relations.PURPOSES), outcome=coded(contacts["outcome"], relations.OUTCOMES),
        fingerprint=pa.array(journal.mixed(contacts["note"]), mask=contacts["note"] < 0),
    )  # fmt: skip
    programmes = relations.programme_columns(block, spells)
    yield "profits_of_relations", profits.gathered(
        calendar.dates,
        (*home, profits.perk_bookings(block.simulation, programmes)),
        (*home, profits.cost_bookings(block.simulation, "contact", relations.CONTACT_CHANNELS, contacts["day"],
                                      contacts["channel"], contacts["customer"])),
    )  # fmt: skip
    yield "programmes", programmes | {
        "customer": block.first + programmes["customer"],
        "programme": coded(programmes["programme"], relations.PROGRAMMES),
        "joined_on": calendar.dates(programmes["joined"]), "left_on": calendar.dates(programmes["left"]),
    }  # fmt: skip
    requests = lives.requests
    # Who has left asks for nothing: a request of the last days may come after the closing.
    kept = np.flatnonzero(requests["day"] < np.minimum(spells.end, block.simulation.days)[requests["spell"]])
    kept = kept[np.lexsort((requests["spell"][kept], requests["opened"][kept]))]
    requests = {name: column[kept] for name, column in requests.items()}
    yield "service_requests", requests | {
        "request": block.numbered(np.arange(kept.size), 10**7),
        "customer": block.first + spells.customer[requests["spell"]],
        "category": coded(requests["category"], service.CATEGORIES),
        "channel": coded(requests["channel"], service.CHANNELS),
        "priority": coded(requests["priority"], service.PRIORITIES), "stage": coded(requests["stage"], service.STAGES),
        "resolution": coded(requests["resolution"], service.RESOLUTIONS),
    }  # fmt: skip
    surveys = survey_columns(block, lives)
    kinds, least, most, *_ = zip(*QUESTIONS.values(), strict=True)
    yield "surveys", surveys | {
        "response": block.numbered(np.arange(surveys["sent"].size), 10**7),
        "customer": block.first + surveys["customer"], "survey_type": coded(surveys["question"], kinds),
        "question": coded(surveys["question"], list(QUESTIONS)), "least": np.array(least)[surveys["question"]],
        "most": np.array(most)[surveys["question"]],
    }  # fmt: skip
    yield "campaign_members", campaigns.member_columns(run, lives.members) | {
        "customer": block.first + spells.customer[lives.members["spell"]]
    }  # fmt: skip
    prospects = prospect_columns(block, spells)
    yield "prospects", prospects | {
        "prospect": block.numbered(np.arange(prospects["created"].size), 10**5),
        "customer": np.where(prospects["customer"] >= 0, block.first + prospects["customer"], -1),
        "source": coded(prospects["source"], SOURCES),
    }  # fmt: skip
