"""Everything that is simulated, as Arrow columns that the extract queries read."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from crm_warehouse.progress import Progress
from crm_warehouse.simulator import catalogue, journal, lending, relations
from crm_warehouse.simulator.books import Flows
from crm_warehouse.simulator.business_days import calendar_columns
from crm_warehouse.simulator.everyday import FEES, WAIVERS
from crm_warehouse.simulator.flows import run_months
from crm_warehouse.simulator.population import NEVER, Population, draw_population
from crm_warehouse.simulator.positions import BASES, balance_columns, holding_columns
from crm_warehouse.simulator.simulation import Simulation, delivery_dates

Columns = dict[str, np.ndarray | pa.Array]


def coded(codes: np.ndarray, names: Sequence[str]) -> pa.Array:
    """Texts by their position in names; negative codes are null."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=codes < 0), pa.array(names))


def simulated_tables(simulation: Simulation, progress: Progress) -> Iterator[tuple[str, Columns]]:
    """Tables by name. sent_on is the delivery an event goes out with; events too late for the last one are left out."""
    deliveries = np.array(delivery_dates(simulation), dtype="datetime64[D]")
    sent_days = simulation.day_numbers(deliveries)
    history = int(np.searchsorted(simulation.months()[1], sent_days[0])) + 1

    def dates(days: np.ndarray) -> pa.Array:
        return pa.array(simulation.dates(np.where(days >= NEVER, 0, days)), mask=days >= NEVER)

    def sent(columns: dict[str, np.ndarray], **texts: pa.Array) -> Columns:
        delivery = np.searchsorted(sent_days, columns["day"])
        kept = delivery < sent_days.size
        arrays = {name: pa.array(column) for name, column in columns.items() if name not in texts} | texts
        arrays["date"] = dates(columns["day"])
        arrays["sent_on"] = pa.array(deliveries[np.minimum(delivery, sent_days.size - 1)])
        return pa.table(arrays).filter(pa.array(kept))

    market = catalogue.draw_market(simulation)
    population = draw_population(simulation, market)
    spells = population.spells
    loans = lending.draw_loans(simulation, spells)
    flows = run_months(simulation, spells, loans, market, progress)
    accounts = flows.accounts

    yield "branches", catalogue.branch_columns()
    yield "calendar", calendar_columns()
    yield "ftp_rates", catalogue.ftp_columns()
    yield "unit_costs", catalogue.unit_cost_columns(simulation)
    yield "products", _product_columns()
    fx_days = np.repeat(np.arange(-1, simulation.days), len(catalogue.CURRENCIES))
    currency = np.tile(np.arange(len(catalogue.CURRENCIES)), simulation.days + 1)
    fx = {"day": fx_days, "rate": market.cny_per_unit.T.ravel()}
    yield "fx_rates", sent(fx, currency=coded(currency, catalogue.CURRENCIES))

    yield "customers", _customer_columns(simulation, population, dates)
    products, currencies = zip(*((p.product_id, p.currency) for p in catalogue.DEPOSITS), strict=True)
    account_columns = {
        "account": np.arange(accounts.spell.size), "customer": spells.customer[accounts.spell],
        "product_id": coded(accounts.product, products), "currency_code": coded(accounts.product, currencies),
        "branch": population.branch[spells.customer[accounts.spell]], "opened_on": dates(accounts.opened),
        "closed_on": dates(accounts.closed), "is_dormant": spells.is_dormant[accounts.spell],
    }  # fmt: skip
    yield "accounts", account_columns
    yield "account_holders", relations.holder_columns(simulation, population, accounts.spell)

    postings = journal.described(flows.journal.columns_from(0))
    balances = balance_columns(simulation, accounts, postings, history, sent_days[1:])
    basis, currency = coded(balances["basis"], BASES), coded(balances["product"], currencies)
    yield "balances", sent(balances, basis=basis, currency_code=currency)
    yield (
        "transactions",
        sent(
            postings | {"transaction": np.arange(postings["account"].size)},
            transaction_type=coded(postings["kind"], [k.transaction_type for k in journal.KINDS.values()]),
            channel=coded(postings["channel"], journal.CHANNELS),
            institution=coded(postings["institution"], journal.institution_names()),
            counterparty=coded(postings["counterparty"], journal.COUNTERPARTY_TYPES),
            currency_code=coded(accounts.product[postings["account"]], currencies),
        ),
    )
    yield "fees", sent(**_fee_columns(flows))
    held = [p.product_id for p in catalogue.HELD]
    holdings = holding_columns(simulation, spells, flows, market, history, sent_days[1:])
    yield "holdings", sent(holdings, product_id=coded(holdings["product"], held), basis=coded(holdings["basis"], BASES))

    # The day before history opens it: what is owed in the first month is known from its first day.
    loan_days = np.concatenate([[-1], simulation.months()[1][:history], sent_days[1:]])
    positions = lending.loan_columns(simulation, spells, loans, loan_days)
    yield (
        "loans",
        sent(
            positions,
            product_id=coded(positions["product"], lending.LOAN_PRODUCTS),
            opened_on=dates(positions["opened"]),
            matures_on=dates(positions["matures"]),
        ),
    )
    cards = lending.card_columns(simulation, spells, simulation.months()[0].size)
    months = dates(simulation.months()[0])
    yield "cards", cards | {
        "month": months.take(pa.array(cards["month"])), "issued_on": dates(cards["issued"]),
        "closed_on": dates(cards["closed"]),
    }  # fmt: skip

    related = relations.relation_columns(simulation, population)
    managers, assignments = related["relationship_managers"], related["rm_assignments"]
    yield "relationship_managers", managers | {
        "manager": np.arange(managers["branch"].size), "grade": coded(managers["grade"], relations.GRADES),
        "hired_on": dates(managers["hired"]), "left_on": dates(managers["left"]),
        "leave_reason": coded(managers["reason"], relations.LEAVE_REASONS),
    }  # fmt: skip
    yield "rm_assignments", assignments | {
        "role": coded(assignments["role"], relations.ROLES), "valid_from": dates(assignments["from"]),
        "valid_to": dates(assignments["to"]),
    }  # fmt: skip
    contacts = related["contacts"]
    yield (
        "contacts",
        sent(
            contacts | {"contact": np.arange(contacts["day"].size)},
            channel=coded(contacts["channel"], relations.CONTACT_CHANNELS),
            purpose=coded(contacts["purpose"], relations.PURPOSES),
            outcome=coded(contacts["outcome"], relations.OUTCOMES),
            fingerprint=pa.array(journal.mixed(contacts["note"]), mask=contacts["note"] < 0),
        ),
    )
    programmes = related["programmes"]
    yield "programmes", programmes | {
        "programme": coded(programmes["programme"], relations.PROGRAMMES), "joined_on": dates(programmes["joined"]),
        "left_on": dates(programmes["left"]),
    }  # fmt: skip


def _customer_columns(simulation: Simulation, population: Population, dates) -> Columns:
    """Customers with both of their spells: who never came back has no second onboarding."""
    n, spells = simulation.customers, population.spells
    onboarded_again = np.full(n, NEVER)
    onboarded_again[spells.customer[n:]] = spells.start[n:]
    columns = population.customers
    return columns | {
        "customer": np.arange(n), "branch": population.branch, "onboarded_on": dates(spells.start[:n]),
        "closed_on": dates(spells.end[:n]), "onboarded_again_on": dates(onboarded_again),
        "declared_wealth_amount": pa.array(columns["declared_wealth_amount"], from_pandas=True),  # NaN is null
        "changed_on": dates(columns["changes"]), "rated_until": dates(columns["rated_until"]),
    }  # fmt: skip


def _product_columns() -> Columns:
    names = ("product_id", "name", "family", "risk", "currency", "minimum", "term_days", "launched_on", "fee_rate",
             "counts_in_aum")  # fmt: skip
    return {name: pa.array([getattr(p, name) for p in catalogue.PRODUCTS]) for name in names}


def _fee_columns(flows: Flows) -> dict:
    columns = {name: np.concatenate([part[name] for part in flows.fees]) for name in flows.fees[0]}
    order = np.lexsort((columns["fee"], columns["account"], columns["day"]))
    columns = {name: column[order] for name, column in columns.items()}
    fee_type, waiver = coded(columns["fee"], [name for name, _ in FEES]), coded(columns["waiver"], WAIVERS)
    return {"columns": columns | {"number": np.arange(order.size)}, "fee": fee_type, "waiver": waiver}
