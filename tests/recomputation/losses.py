"""Costs to serve by channel, and whom the bank loses on and why, by definition."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .arithmetic import OPEN_END, ZERO, converted, days_in, next_month, rounded
from .bank import Bank
from .ledger_lines import Line

REASONS = ("rate", "balance", "channel_mix", "rm_time", "expected_loss", "perks", "waiver")


def work_of(bank: Bank) -> Counter:
    """Pieces of work by customer, month, activity and channel."""
    work = Counter(bank.activities[["customer_id", "month", "activity", "channel"]].itertuples(index=False, name=None))
    for account in bank.accounts.values():
        for month in bank.months:
            if any(account.opened_on <= day < (account.closed_on or OPEN_END) for day in bank.days(month)):
                work[account.customer_id, month, "account_maintenance", "system"] += 1
    return work


def costs_to_serve(bank: Bank) -> dict[tuple[str, date, str], dict]:
    if bank.loans is None:
        return {}
    work, customers = work_of(bank), bank.customer_months()
    spent, saved = defaultdict(lambda: [0, ZERO, ZERO]), defaultdict(Decimal)
    for (customer, month, activity, channel), units in work.items():
        full, avoidable = bank.unit_costs[activity, channel, month]
        cell = spent[customer, month, channel]
        spent[customer, month, channel] = [cell[0] + units, cell[1] + units * full, cell[2] + units * avoidable]
    for customer, month, channel, saving in savings(bank, work, customers):
        saved[customer, month, channel] += saving
    return {
        key: {
            "units": spent[key][0] if key in spent else 0,
            "cost_full_amount": rounded(spent[key][1], 2) if key in spent else ZERO,
            "cost_avoidable_amount": rounded(spent[key][2], 2) if key in spent else ZERO,
            "migration_saving_amount": saved.get(key),
        }
        for key in list(spent) + [key for key in saved if key not in spent]
        if key[:2] in customers
    }


def savings(bank: Bank, work: Counter, customers: dict) -> Iterator[tuple[str, date, str, Decimal]]:
    """Of each activity: what would have come through a channel by the habit of the first months, less what did, priced."""
    first: dict[str, date] = {}
    for customer, month in customers:
        first[customer] = min(month, first.get(customer, month))
    ends = {customer: later(month, int(bank.parameter("channel_baseline_months"))) for customer, month in first.items()}
    habits, done = defaultdict(Counter), defaultdict(Counter)
    for (customer, month, activity, channel), units in work.items():
        if customer in ends and month < ends[customer]:
            habits[customer, activity][channel] += units
        done[customer, month, activity][channel] += units
    for (customer, month, activity), channels in done.items():
        habit = habits.get((customer, activity))
        if not habit or month < ends[customer]:
            continue
        for channel in habit.keys() | channels.keys():
            moved = Fraction(channels.total() * habit[channel], habit.total()) - channels[channel]
            avoidable = bank.unit_costs[activity, channel, month][1]
            yield customer, month, channel, rounded(moved * Fraction(avoidable), 2)


def later(month: date, months: int) -> date:
    for _ in range(months):
        month = next_month(month)
    return month


def loss_making_customers(
    bank: Bank, lines: list[Line], contributed: dict, tiers: dict, aum: dict
) -> dict[tuple[str, date], dict]:
    """Who was below zero in enough of the last months, and what is farthest from what is usual among profitable peers."""
    if bank.loans is None:
        return {}
    measured = measures(bank, lines, contributed, aum)
    peers = usual(bank, measured, tiers)
    window, least = (int(bank.parameter(f"loss_{name}_months")) for name in ("window", "min"))
    negative = Counter()
    for (customer, month), own in measured.items():
        if own["contribution"] < 0:
            for ahead in range(window):
                negative[customer, later(month, ahead)] += 1
    rows = {}
    for (customer, month), own in measured.items():
        if negative[customer, month] < least:
            continue
        tier = tiers.get((customer, month), {}).get("tier_code")
        found = peers.get((month, tier)) or peers.get((month, None))
        reason, gap, median = largest_gap(own, found) if found else (None, None, None)
        begun = min(spell.starts for spell in bank.spells[customer])
        exempt_until = months_after(begun, int(bank.parameter("loss_exempt_months")))
        rows[customer, month] = {
            "contribution_avoidable_amount": own["contribution"],
            "months_negative_of_6": negative[customer, month],
            "reason_code": reason,
            "reason_gap_amount": gap,
            "peer_median_amount": median,
            "is_exempt": exempt_until > bank.days(month)[-1],
        }
    return rows


def measures(bank: Bank, lines: list[Line], contributed: dict, aum: dict) -> dict[tuple[str, date], dict]:
    waived, volume, owed = defaultdict(Decimal), defaultdict(Decimal), defaultdict(Decimal)
    for customer, month, component, _, _, _, reported in lines:
        if component == "fees_waived":
            waived[customer, month] += reported
    for (customer, month, _), row in aum.items():
        volume[customer, month] += row["adb_amount"]
    for loan in bank.loans:
        for month in bank.months:
            for day in bank.days(month):
                if state := loan.state_on(day):
                    owed[loan.customer_id, month] += converted(state[0], bank.rates[loan.currency].on(day))
    for (customer, month), total in owed.items():
        volume[customer, month] += rounded(Fraction(total) / len(bank.days(month)), 2)
    transactions, spent = Counter(), defaultdict(Decimal)
    for (customer, month, activity, channel), units in work_of(bank).items():
        transactions[customer, month] += units if activity == "transaction" else 0
        spent[customer, month, activity] += units * bank.unit_costs[activity, channel, month][1]
    found = {}
    for key, row in contributed.items():
        interest = row["net_interest_deposits_amount"] + row["net_interest_loans_amount"]
        paid = rounded(spent[*key, "transaction"], 2)
        found[key] = {
            "contribution": row["contribution_avoidable_amount"],
            "interest": interest,
            "volume": volume[key],
            "margin": rounded(Fraction(interest) / Fraction(volume[key]), 6) if volume[key] > 0 else None,
            "transactions": transactions[key],
            "transactions_cost": paid,
            "transaction_cost": rounded(Fraction(paid) / transactions[key], 6) if transactions[key] else None,
            "contacts_cost": rounded(spent[*key, "contact"], 2),
            "expected_loss": row["expected_loss_amount"],
            "perks": row["perks_amount"],
            "waived": rounded(waived[key], 2),
        }
    return found


def usual(bank: Bank, measured: dict, tiers: dict) -> dict[tuple[date, str | None], dict]:
    """The lower middle of each measure among those without a loss, by month and tier and of all of a month (None)."""
    groups = defaultdict(list)
    for (customer, month), own in measured.items():
        if own["contribution"] >= 0:
            groups[month, None].append(own)
            if tier := tiers.get((customer, month), {}).get("tier_code"):
                groups[month, tier].append(own)
    least = int(bank.parameter("loss_peers_min"))
    return {
        group: {name: lower_middle([own[name] for own in members]) for name in members[0]}
        for group, members in groups.items()
        if len(members) >= least
    }


def lower_middle(values: list) -> Decimal | None:
    known = sorted(value for value in values if value is not None)
    return known[(len(known) - 1) // 2] if known else None


def largest_gap(own: dict, peers: dict) -> tuple[str | None, Decimal | None, Decimal | None]:
    compared = {
        "rate": (own["volume"] * peers["margin"], own["interest"], 1),
        "balance": (peers["volume"] * peers["margin"], own["volume"] * peers["margin"], 1),
        "channel_mix": (own["transactions"] * peers["transaction_cost"], own["transactions_cost"], -1),
        "rm_time": (peers["contacts_cost"], own["contacts_cost"], -1),
        "expected_loss": (peers["expected_loss"], own["expected_loss"], -1),
        "perks": (peers["perks"], own["perks"], -1),
        "waiver": (peers["waived"], own["waived"], -1),
    }
    gaps = {reason: rounded(sign * (median - mine), 2) for reason, (median, mine, sign) in compared.items()}
    reason = max(REASONS, key=lambda name: gaps[name])
    return (reason, gaps[reason], rounded(compared[reason][0], 2)) if gaps[reason] > 0 else (None, None, None)


def months_after(day: date, months: int) -> date:
    """The same day so many months later; the last of a shorter month."""
    first = later(day.replace(day=1), months)
    return first.replace(day=min(day.day, days_in(first)))
