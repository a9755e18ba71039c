"""What each customer brings and costs, line by line as the general ledger has them, by definition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .arithmetic import OPEN_END, ZERO, Dated, converted, number_or_none, rounded
from .bank import Bank

# customer, month, component, branch, currency; amount in that currency, amount in the bank's: six places each.
Line = tuple[str, date, str, str, str, Decimal, Decimal]


def ledger_lines(bank: Bank) -> Iterator[Line]:
    """Every line of a bank that provides prices, costs, loans, fees and programmes."""
    yield from deposit_lines(bank)
    yield from loan_lines(bank)
    yield from fee_lines(bank)
    yield from cost_lines(bank)
    yield from perk_lines(bank)


def deposit_lines(bank: Bank) -> Iterator[Line]:
    """Amount x transfer price, and amount x customer rate, of each day; by product, the customer's share of it."""
    year = bank.parameter("interest_day_count")
    customer_rates = defaultdict(list)
    for row in bank.policy("deposit_rates"):
        customer_rates[row["product_id"]].append((date.fromisoformat(row["effective_from"]), Decimal(row["rate"])))
    customer_rates = {product: Dated(pairs) for product, pairs in customer_rates.items()}
    sums = defaultdict(lambda: [Fraction(0)] * 4)
    for position in bank.positions:
        if position.product_id not in customer_rates:
            continue
        product = bank.products[position.product_id]
        term = number_or_none(product["term_days"])
        prices = bank.transfer_prices[product["product_family"], int(term or 0), position.currency]
        paid, rates = customer_rates[position.product_id], bank.rates[position.currency]
        branch = bank.accounts[position.account_id].branch_id
        for month in bank.months:
            totals, held = [ZERO] * 4, False
            for day in bank.days(month):
                amount = position.amount_on(day)
                held = held or amount is not None
                if amount:
                    own, reported = max(amount, ZERO), converted(amount, rates.on(day))
                    price, rate = prices.on(day), paid.on(day)
                    for place, value in enumerate((own * price, reported * price, own * rate, reported * rate)):
                        totals[place] += value
            for customer, share in position.holders.items() if held else ():
                key = customer, month, position.product_id, branch, position.currency
                sums[key] = [before + Fraction(added * share) for before, added in zip(sums[key], totals, strict=True)]
    for (customer, month, _, branch, currency), totals in sums.items():
        income, reported_income, interest, reported_interest = (rounded(total / Fraction(year), 6) for total in totals)
        yield customer, month, "deposit_transfer_income", branch, currency, income, reported_income
        yield customer, month, "deposit_interest", branch, currency, interest, reported_interest


def loan_lines(bank: Bank) -> Iterator[Line]:
    """Loan by loan: interest and the treasury's charge by day, the loss of what is owed at the month's end."""
    year = Fraction(bank.parameter("interest_day_count"))
    for loan in bank.loans:
        product = bank.products[loan.product_id]
        prices = bank.transfer_prices["loan", int(number_or_none(product["term_days"]) or 0), loan.currency]
        price = prices.on_or_first(loan.opened_on)
        rates, branch = bank.rates[loan.currency], bank.customers[loan.customer_id]["branch_id"]
        for month in bank.months:
            days = bank.days(month)
            owed = [(state[0], converted(state[0], rates.on(day))) for day in days if (state := loan.state_on(day))]
            if not owed:
                continue
            own, reported = (Fraction(sum(amounts)) for amounts in zip(*owed, strict=True))
            place = branch, loan.currency
            for component, rate in (("loan_interest", loan.interest_rate), ("loan_transfer_charge", price)):
                amounts = (rounded(amount * Fraction(rate) / year, 6) for amount in (own, reported))
                yield loan.customer_id, month, component, *place, *amounts
            if state := loan.state_on(days[-1]):
                outstanding, default, loss = state
                amounts = (outstanding, converted(outstanding, rates.on(days[-1])))
                losses = (rounded(Fraction(amount) * Fraction(default * loss) / 12, 6) for amount in amounts)
                yield loan.customer_id, month, "expected_loss", *place, *losses


def fee_lines(bank: Bank) -> Iterator[Line]:
    for key, rows in bank.fees.groupby(["customer_id", "month", "account_id"]):
        customer, month, account = key
        place = bank.accounts[account].branch_id, bank.currency
        yield customer, month, "fee_income", *place, rows.charged.sum(), rows.charged.sum()
        yield customer, month, "fees_waived", *place, ZERO, rows.listed.sum() - rows.charged.sum()


def cost_lines(bank: Bank) -> Iterator[Line]:
    """Transactions and upkeep at the account's branch, contacts at the customer's."""

    def lines(customer: str, month: date, branch: str, activity: str, channel: str, units: int) -> Iterator[Line]:
        full, avoidable = bank.unit_costs[activity, channel, month]
        yield customer, month, "cost_to_serve_full", branch, bank.currency, units * full, units * full
        yield customer, month, "cost_to_serve_avoidable", branch, bank.currency, units * avoidable, units * avoidable

    for key, units in bank.activities.value_counts(
        ["customer_id", "month", "branch_id", "activity", "channel"]
    ).items():
        yield from lines(*key, units)
    for account in bank.accounts.values():
        for month in bank.months:
            if any(account.opened_on <= day < (account.closed_on or OPEN_END) for day in bank.days(month)):
                yield from lines(account.customer_id, month, account.branch_id, "account_maintenance", "system", 1)


def perk_lines(bank: Bank) -> Iterator[Line]:
    for customer, joined_on, left_on, cost in bank.perks:
        for month in bank.months:
            if any(joined_on <= day < (left_on or OPEN_END) for day in bank.days(month)):
                yield customer, month, "perks", bank.customers[customer]["branch_id"], bank.currency, cost, cost
