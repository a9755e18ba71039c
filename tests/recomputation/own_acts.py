"""What a customer does of their own accord, by the policy of the day."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from .bank import Bank
from .flow_classes import classify


@dataclass(frozen=True)
class Act:
    """Something that happened between a customer and the bank; whose doing it was, policy says."""

    customer_id: str
    day: date
    event_type: str
    channel: str | None = None
    purpose: str | None = None
    outcome: str | None = None


class OwnActs:
    """Days on which each customer did something of their own, from the warehouse's first month on."""

    def __init__(self, bank: Bank) -> None:
        rows = [(date.fromisoformat(row["effective_from"]), row) for row in bank.policy("customer_events")]
        self.policy = sorted(rows, key=lambda pair: pair[0])
        self._known: dict[tuple, bool] = {}
        found = defaultdict(set)
        for act in self._acts(bank):
            if bank.first_month <= act.day <= bank.business_date and self._counts(act):
                found[act.customer_id].add(act.day)
        self.days = {customer: sorted(days) for customer, days in found.items()}

    def last(self, customer: str, day: date) -> date | None:
        days = self.days.get(customer, [])
        place = bisect_right(days, day)
        return days[place - 1] if place else None

    def _acts(self, bank: Bank):
        yield from bank.acts
        for order in bank.orders:
            yield Act(order.customer_id, order.day, "order", None, order.side)
        classes = classify(bank)
        for moved in bank.transactions:
            if moved.account_id in bank.accounts:
                use = classes[moved.transaction_id].flow_use
                persons = bank.persons.get(moved.account_id) or {bank.accounts[moved.account_id].customer_id}
                for person in persons:
                    yield Act(person, moved.day, "transaction", moved.channel, use)

    def _counts(self, act: Act) -> bool:
        kind = act.event_type, act.channel, act.purpose, act.outcome
        if (kind, act.day) not in self._known:
            said = {}  # by what a row speaks of: its latest version
            for since, row in self.policy:
                speaks = row["event_type"], row["channel"], row["purpose"], row["outcome"]
                fits = all(wanted in ("", found or "") for wanted, found in zip(speaks, kind, strict=True))
                if since <= act.day and fits:
                    said[speaks] = row["counts"] == "true"
            self._known[kind, act.day] = bool(said) and all(said.values())
        return self._known[kind, act.day]
