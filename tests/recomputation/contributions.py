"""What each customer contributes in a month, by definition: the sum of their ledger lines."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .arithmetic import ZERO, rounded
from .bank import Bank
from .ledger_lines import Line

# Each part is lines added and lines taken away.
PARTS = {
    "net_interest_deposits_amount": (("deposit_transfer_income",), ("deposit_interest",)),
    "net_interest_loans_amount": (("loan_interest",), ("loan_transfer_charge",)),
    "fee_income_amount": (("fee_income",), ()),
    "expected_loss_amount": (("expected_loss",), ()),
    "cost_to_serve_full_amount": (("cost_to_serve_full",), ()),
    "cost_to_serve_avoidable_amount": (("cost_to_serve_avoidable",), ()),
    "perks_amount": (("perks",), ()),
}
NOT_PROVIDED = "not provided: crm__programmes, finance__ftp_rates, finance__unit_costs"


def contributions(bank: Bank, lines: list[Line]) -> dict[tuple[str, date], dict]:
    keys = bank.customer_months()
    if bank.loans is None:
        charged = bank.fees.groupby(["customer_id", "month"]).charged.sum().to_dict()
        return {
            key: dict.fromkeys(PARTS)
            | dict.fromkeys(("contribution_full_amount", "contribution_avoidable_amount", "contribution_rank"))
            | dict.fromkeys(("over_service_ratio", "is_over_served"))
            | {"fee_income_amount": rounded(charged.get(key, ZERO), 2), "is_partial_month": is_partial}
            | {"unavailable_reason": NOT_PROVIDED}
            for key, is_partial in keys.items()
        }
    most = bank.parameter("over_service_max_ratio")
    sums = defaultdict(Decimal)
    for customer, month, component, _, _, _, reported in lines:
        sums[customer, month, component] += reported
    rows = {}
    for key, is_partial in keys.items():
        row = {
            part: rounded(sum(sums[*key, name] for name in plus) - sum(sums[*key, name] for name in minus), 2)
            for part, (plus, minus) in PARTS.items()
        } | {"is_partial_month": is_partial, "unavailable_reason": None}
        before_costs = (
            row["net_interest_deposits_amount"]
            + row["net_interest_loans_amount"]
            + row["fee_income_amount"]
            - row["expected_loss_amount"]
            - row["perks_amount"]
        )
        row["contribution_full_amount"] = before_costs - row["cost_to_serve_full_amount"]
        avoidable = row["contribution_avoidable_amount"] = before_costs - row["cost_to_serve_avoidable_amount"]
        conceded = rounded(sums[*key, "fees_waived"], 2) + row["perks_amount"]
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
