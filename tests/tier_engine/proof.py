"""Where the SQL and the walk through the rules part: found, made small, and shown as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from tier_engine.bank import Bank
from tier_engine.banks import until
from tier_engine.decisions import states_of
from tier_engine.engine import Engine, Outcome
from tier_engine.groups import leader
from tier_engine.history import Row, corrected_history
from tier_engine.policy import Ladder
from tier_engine.ratings import rating

Past = Iterable[tuple[datetime, Bank]]


def walked(bank: Bank, ladder: Ladder, customer: str, past: Past = ()) -> Outcome:
    """The rules, for one customer, in the form of what the SQL says."""
    near = bank.around(customer)
    received = [datetime.min, *(moment for moment, _ in past)]
    vintages = dict(zip(received, [*(before.around(customer) for _, before in past), near], strict=True))
    states = states_of(near, ladder, customer)
    ratings = {
        (customer, month.first, version.name): rating(near, customer, month, version)
        for month in bank.months
        for version in ladder.versions
    }
    return Outcome(
        {customer: corrected_history(vintages, ladder, customer)},
        {(customer, month): (s.held, len(s.misses)) for month, s in states.items() if s.is_reviewed},
        ratings,
    )


def differences(bank: Bank, ladder: Ladder, customer: str, said: Outcome, by_rules: Outcome) -> list[str]:
    """What of a customer is not the same: its ratings, its states, its history."""
    found = []
    in_force = {month.first: ladder.in_force(month.first).name for month in bank.months}
    for (who, month, version), amount in by_rules.ratings.items():
        key = (who, month, version)
        if amount is not None and version == in_force[month] and said.ratings.get(key, "no row") != amount:
            found.append(f"rating {month} {version}: SQL {said.ratings.get(key, 'no row')}, rules {amount}")
        elif key in said.ratings and amount != said.ratings[key] and _rated_itself(bank, who, month):
            found.append(f"rating {month} {version}: SQL {said.ratings[key]}, rules {amount}")
    states = {key: state for key, state in said.states.items() if key[0] == customer}
    for key in sorted(states.keys() | by_rules.states.keys()):
        if states.get(key) != by_rules.states.get(key):
            found.append(f"state {key[1]}: SQL {states.get(key)}, rules {by_rules.states.get(key)}")
    if sorted(said.history.get(customer, [])) != sorted(by_rules.history[customer]):
        found.append("history")
    return found


def _rated_itself(bank: Bank, customer: str, first) -> bool:
    (month,) = (month for month in bank.months if month.first == first)
    return leader(bank.around(customer), customer, month.last) == customer


def shown(rows: Iterable[Row]) -> str:
    lines = []
    for row in sorted(rows, key=lambda row: (row.known_from, row.interval.valid_from)):
        told = row.interval
        what = (
            f"{told.tier_code!s:5} (was {told.previous_tier_code}) {told.movement} {told.reason} {told.policy_version}"
        )
        lines.append(
            f"  {told.valid_from} .. {told.valid_to}  known {row.known_from:%y-%m-%d %H} .. {row.known_to:%y-%m-%d %H}  {what}"
        )
    return "\n".join(lines) or "  (none)"


def table(bank: Bank, ladder: Ladder, customer: str, said: Outcome, by_rules: Outcome, found: list[str]) -> str:
    """All that is needed to see who is wrong."""
    near = bank.around(customer)
    text = [f"customer {customer} as of {bank.as_of}: " + "; ".join(found[:4])]
    for version in ladder.versions:
        rungs = " ".join(f"{t.code}>={t.threshold}/grace {t.grace}" for t in version.tiers)
        text.append(
            f"  {version.name} from {version.effective_from}: {version.base} {version.window} {version.divisor} {version.scope}"
            f" lag {version.up_lag} landing {version.landing} {version.calendar} {dict(version.weights)} | {rungs}"
        )
    for who, spells in near.spells.items():
        for s in spells:
            text.append(f"  spell {who} {s.begin} .. {s.end} known {s.opening_known_at}, {s.closing_known_at}")
    text += [
        f"  {k.kind} {k.one}-{k.other} {k.begin} .. {k.end} known {k.begin_known_at}, {k.end_known_at}"
        for k in near.links
    ]
    for month in bank.months:
        ratings = " ".join(
            f"{v.name}={by_rules.ratings[customer, month.first, v.name]}|{said.ratings.get((customer, month.first, v.name))}"
            for v in ladder.versions
        )
        fed = "" if month.is_fed else " NOT FED"
        over = "" if month.is_complete else " not over"
        key = (customer, month.first)
        text.append(
            f"  {month.first} known {month.known_at}{fed}{over}: {ratings} state {by_rules.states.get(key)}|{said.states.get(key)}"
        )
    text += ["rules:", shown(by_rules.history[customer]), "SQL:", shown(said.history.get(customer, []))]
    return "\n".join(text)


def disagreements(engine: Engine, bank: Bank, ladder: Ladder, past: Past = ()) -> dict[str, list[str]]:
    past = list(past)
    said = engine.run(bank, ladder, past)
    found = {}
    for customer in bank.spells:
        by_rules = walked(bank, ladder, customer, past)
        differing = differences(bank, ladder, customer, said, by_rules)
        if differing:
            found[customer] = differing
    return found


def smallest(engine: Engine, bank: Bank, ladder: Ladder, customers: Iterable[str], past: Past = ()) -> str:
    """The counterexample of the customer with the fewest relations, spells and months, alone with those; shorter if it can be."""

    def size(customer: str) -> tuple:
        near = bank.around(customer)
        return len(near.spells), len(near.links), len(bank.spells[customer]), len(near.assets)

    customer = min(customers, key=size)
    past = [(moment, before.around(customer)) for moment, before in past]
    small = bank.around(customer)
    for month in bank.months[:-1] if not past else ():
        shorter = until(small, month.last)
        if customer in shorter.spells and disagreements(engine, shorter, ladder).get(customer):
            small = shorter
            break
    said, by_rules = engine.run(small, ladder, past), walked(small, ladder, customer, past)
    found = differences(small, ladder, customer, said, by_rules)
    before = [
        f"until {moment}:\n" + table(b, ladder, customer, said, walked(b, ladder, customer), []) for moment, b in past
    ]
    return "\n".join([*before, table(small, ladder, customer, said, by_rules, found)])


def summary(found: dict[str, list[str]]) -> Counter:
    return Counter(each[0].split(" ")[0] for each in found.values())
