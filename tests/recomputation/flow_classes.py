"""What each transaction is taken for, by the policy of its day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb

from .bank import Bank, Transaction

Kind = tuple[str, str | None, bool | None]


@dataclass(frozen=True)
class Classed:
    flow_class: str
    flow_use: str | None
    correction_reason: str | None


def kind_of(transaction: Transaction) -> Kind:
    return transaction.transaction_type, transaction.counterparty_type, transaction.is_own_name


def classify(bank: Bank) -> dict[str, Classed]:
    """By transaction: its class and use, or why it has none."""
    policy = [
        (row["transaction_type"], row["counterparty_type"], row["is_own_name"], date.fromisoformat(row["effective_from"]), row)
        for row in bank.policy("transaction_classes")
    ]  # fmt: skip
    by_id = {transaction.transaction_id: transaction for transaction in bank.transactions}
    families = {position.account_id: position.product_id for position in bank.positions if position.account_id}
    known: dict[tuple[Kind, date], dict | None] = {}

    def in_force(kind: Kind, day: date) -> dict | None:
        """The latest version of each row that fits; of those the one that says most, whose counterparty first."""
        if (kind, day) not in known:
            name = "" if kind[2] is None else str(kind[2]).lower()
            fits = {
                (counterparty, own): row
                for of, counterparty, own, since, row in sorted(policy, key=lambda part: part[3])
                if of == kind[0] and counterparty in ("", kind[1] or "") and own in ("", name) and since <= day
            }
            known[kind, day] = fits[max(fits, key=lambda key: (bool(key[0]), bool(key[1])))] if fits else None
        return known[kind, day]

    found = {}
    for transaction in bank.transactions:
        original = by_id.get(transaction.reversal_of) if transaction.reversal_of else transaction
        row = in_force(kind_of(original), original.day) if original else None
        reason = None
        if transaction.account_id not in bank.accounts:
            reason = "unknown_account"
        elif not _counts(bank, families.get(transaction.account_id)):
            reason = "outside_assets"
        elif transaction.currency not in bank.rates or bank.rates[transaction.currency].on(transaction.day) is None:
            reason = "currency_without_rate"
        elif original is None:
            reason = "reversal_without_original"
        elif row is None:
            reason = "unclassified"
        found[transaction.transaction_id] = (
            Classed("correction", None, reason) if reason else Classed(row["flow_class"], row["flow_use"], None)
        )
    return found


def built_classes(run: object) -> dict[str, Classed]:
    """The same as the warehouse has it: no mart shows single transactions."""
    with duckdb.connect(str(run.warehouse_file), read_only=True) as connection:
        rows = connection.execute(
            "select transaction_id, flow_class, flow_use, correction_reason from intermediate.int_transactions_classified"
        )
        return {transaction: Classed(*classed) for transaction, *classed in rows.fetchall()}


def _counts(bank: Bank, product: str | None) -> bool:
    return product is None or str(bank.products[product]["counts_in_aum"]).lower() == "true"
