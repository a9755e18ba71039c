"""What each customer contributes in a month, by definition."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .arithmetic import OPEN_END, ZERO, Dated, converted, number_or_none, rounded
from .bank import Bank


def deposit_margins(bank: Bank) -> dict[tuple[str, date], Decimal]:
    """Amount x (transfer price - customer rate) of each day, before the division by the days of a year."""
    customer_rates = defaultdict(list)
    for row in bank.policy("deposit_rates"):
        customer_rates[row["product_id"]].append((date.fromisoformat(row["effective_from"]), Decimal(row["rate"])))
    customer_rates = {product: Dated(pairs) for product, pairs in customer_rates.items()}
    sums = defaultdict(Decimal)
    for position in bank.positions:
        if position.product_id not in customer_rates:
            continue
        product = bank.products[position.product_id]
        term = number_or_none(product["term_days"])
        prices = bank.transfer_prices[product["product_family"], int(term or 0), position.currency]
        paid, rates = customer_rates[position.product_id], bank.rates[position.currency]
        for month in bank.months:
            margin = ZERO
            for day in bank.days(month):
                if amount := position.amount_on(day):
                    margin += converted(amount, rates.on(day)) * (prices.on(day) - paid.on(day))
            for customer, share in position.holders.items():
                sums[customer, month] += margin * share
    return sums


def loan_results(bank: Bank) -> tuple[dict, dict]:
    """Per customer-month: margin before the division by the days of a year; expected loss before that by twelve."""
    margins, losses = defaultdict(Decimal), defaultdict(Decimal)
    for loan in bank.loans:
        product = bank.products[loan.product_id]
        prices = bank.transfer_prices["loan", int(number_or_none(product["term_days"]) or 0), loan.currency]
        spread = loan.interest_rate - prices.on_or_first(loan.opened_on)
        rates = bank.rates[loan.currency]
        for month in bank.months:
            days = bank.days(month)
            for day in days:
                if state := loan.states.on(day):
                    margins[loan.customer_id, month] += converted(state[0], rates.on(day)) * spread
            if state := loan.states.on(days[-1]):
                outstanding, default, loss = state
                losses[loan.customer_id, month] += rounded(default * loss, 6) * converted(
                    outstanding, rates.on(days[-1])
                )
    return margins, losses


def service_costs(bank: Bank) -> dict[tuple[str, date], tuple[Decimal, Decimal]]:
    costs = defaultdict(lambda: (ZERO, ZERO))

    def add(customer: str, month: date, activity: str, channel: str, units: int) -> None:
        full, avoidable = bank.unit_costs[activity, channel, month]
        before = costs[customer, month]
        costs[customer, month] = before[0] + units * full, before[1] + units * avoidable

    for key, units in bank.activities.value_counts(["customer_id", "month", "activity", "channel"]).items():
        add(*key, units)
    for account in bank.accounts.values():
        for month in bank.months:
            if any(account.opened_on <= day < (account.closed_on or OPEN_END) for day in bank.days(month)):
                add(account.customer_id, month, "account_maintenance", "system", 1)
    return costs


def contributions(bank: Bank) -> dict[tuple[str, date], dict]:
    keys = bank.customer_months()
    charged = bank.fees.groupby(["customer_id", "month"]).charged.sum().to_dict()
    if bank.loans is None:
        parts = ("net_interest_deposits_amount", "net_interest_loans_amount", "expected_loss_amount",
                 "cost_to_serve_full_amount", "cost_to_serve_avoidable_amount", "perks_amount",
                 "contribution_full_amount", "contribution_avoidable_amount", "contribution_rank",
                 "over_service_ratio", "is_over_served")  # fmt: skip
        return {
            key: dict.fromkeys(parts)
            | {"fee_income_amount": rounded(charged.get(key, ZERO), 2), "is_partial_month": is_partial}
            for key, is_partial in keys.items()
        }
    year = bank.parameter("interest_day_count")
    most = bank.parameter("over_service_max_ratio")
    listed = bank.fees.groupby(["customer_id", "month"]).listed.sum().to_dict()
    deposits, (loans, losses), costs = deposit_margins(bank), loan_results(bank), service_costs(bank)
    perks = defaultdict(Decimal)
    for customer, joined_on, left_on, cost in bank.perks:
        for month in bank.months:
            if any(joined_on <= day < (left_on or OPEN_END) for day in bank.days(month)):
                perks[customer, month] += cost
    rows = {}
    for key, is_partial in keys.items():
        row = {
            "net_interest_deposits_amount": rounded(Fraction(deposits.get(key, ZERO)) / Fraction(year), 2),
            "net_interest_loans_amount": rounded(Fraction(loans.get(key, ZERO)) / Fraction(year), 2),
            "fee_income_amount": rounded(charged.get(key, ZERO), 2),
            "expected_loss_amount": rounded(Fraction(losses.get(key, ZERO)) / 12, 2),
            "cost_to_serve_full_amount": rounded(costs[key][0], 2),
            "cost_to_serve_avoidable_amount": rounded(costs[key][1], 2),
            "perks_amount": rounded(perks.get(key, ZERO), 2),
            "is_partial_month": is_partial,
        }
        before_costs = (
            row["net_interest_deposits_amount"]
            + row["net_interest_loans_amount"]
            + row["fee_income_amount"]
            - row["expected_loss_amount"]
            - row["perks_amount"]
        )
        row["contribution_full_amount"] = before_costs - row["cost_to_serve_full_amount"]
        avoidable = row["contribution_avoidable_amount"] = before_costs - row["cost_to_serve_avoidable_amount"]
        conceded = listed.get(key, ZERO) - charged.get(key, ZERO) + row["perks_amount"]
        ratio = rounded(Fraction(conceded) / Fraction(avoidable), 6) if avoidable > 0 else None
        row["over_service_ratio"] = ratio
        row["is_over_served"] = conceded > 0 if ratio is None else ratio > most
        rows[key] = row
    by_month = defaultdict(list)
    for (_, month), row in rows.items():
        by_month[month].append(-row["contribution_avoidable_amount"])
    order = {month: sorted(amounts) for month, amounts in by_month.items()}
    first_place = {month: {} for month in order}
    for month, amounts in order.items():
        for place, amount in enumerate(amounts, start=1):
            first_place[month].setdefault(amount, place)
    for (_, month), row in rows.items():
        row["contribution_rank"] = first_place[month][-row["contribution_avoidable_amount"]]
    return rows
