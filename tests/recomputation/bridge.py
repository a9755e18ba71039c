"""Why each customer's assets moved in a month, by definition: position after position, day by day, in exact fractions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from .arithmetic import ONE, ZERO, Dated, month_of, next_month, rounded
from .bank import Bank, Position
from .flow_classes import classify

PARTS = ("external", "market", "fx", "income", "fee", "transfer", "correction")
NOT_IN_BRIDGE = ("unknown_account", "outside_assets", "currency_without_rate")


@dataclass(frozen=True)
class Posting:
    """A transaction or an order, in the currency of what it moves."""

    id: str
    position: tuple
    owner: str | None
    day: date
    currency: str
    amount: Decimal
    units: Decimal | None
    flow_class: str
    reason: str | None
    is_order: bool


@dataclass
class Bridges:
    """Sums by customer and month of each part, and by month, customer, reason and currency of each correction."""

    parts: dict[tuple[str, date], dict[str, Fraction]] = field(default_factory=lambda: defaultdict(Counter))
    corrections: dict[tuple, list] = field(default_factory=dict)  # movements, amount, reporting amount

    def correct(self, month, customer, reason, currency, is_in_bridge, movements, amount, reporting) -> None:
        cell = self.corrections.setdefault((month, customer, reason, currency, is_in_bridge), [0, ZERO, None])
        cell[0] += movements
        cell[1] = None if amount is None else cell[1] + amount
        if reporting is not None:
            cell[2] = (cell[2] or 0) + reporting
        if is_in_bridge:
            self.parts[customer, month]["correction"] += reporting


def reported(bank: Bank, amount: Decimal, currency: str, day: date) -> Fraction | None:
    if currency == bank.currency:
        return Fraction(amount)
    rate = bank.rates[currency].on(day) if currency in bank.rates else None
    return None if rate is None else Fraction(rounded(Fraction(amount) * Fraction(rate), 6))


def postings(bank: Bank) -> Iterator[Posting]:
    classes = classify(bank)
    for one in bank.transactions:
        if one.day <= bank.business_date:
            classed = classes[one.transaction_id]
            account = bank.accounts.get(one.account_id)
            yield Posting(
                one.transaction_id, (one.account_id,), account and account.customer_id, one.day, one.currency,
                one.amount, ZERO, classed.flow_class, classed.correction_reason, False,
            )  # fmt: skip
    for number, order in enumerate(bank.orders):
        family = bank.products[order.product_id]["product_family"]
        yield Posting(
            f"order {number}", (order.customer_id, order.product_id), order.customer_id, order.day, order.currency,
            order.amount, order.units, "external" if family == "custody" else "conversion", None, True,
        )  # fmt: skip


def paired(found: list[Posting]) -> set[str]:
    """Legs of conversions and transfers whose other leg is there: of one owner first, then of anybody."""
    legs = [one for one in found if one.flow_class in ("conversion", "internal")]
    matched: set[str] = set()
    for has_owner in (True, False):
        ways = defaultdict(lambda: {True: [], False: []})
        for leg in legs:
            if leg.id not in matched:
                key = leg.flow_class, leg.day, leg.currency, abs(leg.amount), leg.owner if has_owner else None
                ways[key][leg.amount > 0].append(leg.id)
        for way in ways.values():
            for pair in zip(sorted(way[True]), sorted(way[False]), strict=False):
                matched.update(pair)
    return matched


def bridges(bank: Bank, aum: dict) -> tuple[dict, dict]:
    """The rows of fct_aum_bridge and of fct_bridge_corrections."""
    found, result = list(postings(bank)), Bridges()
    positions = {
        (position.account_id,) if position.account_id else (*position.holders, position.product_id): position
        for position in bank.positions
    }
    matched = paired(found)
    begins = max(bank.months[0], month_of(min(one.day for one in bank.transactions)))
    moved = defaultdict(list)
    for one in found:
        _post(bank, positions, one, one.id in matched, one.day >= next_month(begins), result)
        if one.reason not in NOT_IN_BRIDGE:
            moved[one.position, one.currency, month_of(one.day)].append(one)
    months = [month for month in bank.months if month > begins]
    pockets = {(key, position.currency) for key, position in positions.items()} | {key[:2] for key in moved}
    for key, currency in pockets:
        position = positions.get(key)
        if position and not _counts(bank, position):
            continue
        for month in months:
            _explain(bank, key, position, currency, month, moved.get((key, currency, month), []), result)
    shown = bank.customer_months()
    outside = {key: amount for key, amount in _month_ends(bank).items() if key not in shown and key[0] in bank.spells}
    for (customer, month), amount in outside.items():
        for of, change in ((month, -amount), (next_month(month), amount)):
            if of in months and amount:
                result.correct(of, customer, "outside_relationship", bank.currency, True, 0, change, Fraction(change))
    return _rows(bank, aum, months, result), _corrections(result)


def _counts(bank: Bank, position: Position) -> bool:
    return str(bank.products[position.product_id]["counts_in_aum"]).lower() == "true"


def _post(bank: Bank, positions: dict, one: Posting, is_matched: bool, is_late: bool, result: Bridges) -> None:
    """A posting once for each holder: shares do not change in either bank."""
    position, month = positions.get(one.position), month_of(one.day)
    shares = position.holders if position else {one.owner: ONE}
    for customer, share in shares.items():
        amount, value = one.amount * share, reported(bank, one.amount, one.currency, one.day)
        value = None if value is None else value * Fraction(share)
        is_known = customer in bank.spells
        outside = one.reason if one.reason in NOT_IN_BRIDGE else None if is_known else "unknown_customer"
        outside = outside or (None if is_late else "before_bridge")
        missing = {"conversion": "conversion_leg_missing", "internal": "transfer_leg_missing"}.get(one.flow_class)
        inside = one.reason or (missing if missing and not is_matched else None)
        if share == 0 or (one.is_order and outside):
            continue
        if outside or inside:
            owner = customer if is_known else None
            result.correct(month, owner, outside or inside, one.currency, not outside, 1, amount, value)
            continue
        result.parts[customer, month]["transfer" if missing else one.flow_class] += value
        if one.flow_class == "conversion":
            result.parts[customer, month]["converted"] += max(value, 0)


def _explain(bank: Bank, key: tuple, position, currency: str, month: date, moved: list[Posting], result) -> None:
    """What neither postings nor orders explain of one position: of an account nothing but rates and overdrafts may."""
    opens, ends = month - timedelta(days=1), bank.days(month)[-1]
    has_position = position is not None and position.currency == currency
    first = _stated(position, opens) if has_position else ZERO
    last = _stated(position, ends) if has_position else ZERO
    is_account = len(key) == 1
    flowed = sum((one.amount for one in moved), ZERO)
    value = sum((reported(bank, one.amount, currency, one.day) for one in moved), Fraction(0))
    if not (first or last or moved):
        return
    total = reported(bank, max(last, ZERO), currency, ends) - reported(bank, max(first, ZERO), currency, opens)
    overdrawn = max(-last, ZERO) - max(-first, ZERO) if is_account else ZERO
    given = ZERO if is_account else _units_given(position, opens, ends, moved)
    rest = reported(bank, last - first - flowed - given, currency, ends)
    by_reason = {
        "overdraft": (overdrawn, reported(bank, overdrawn, currency, ends)),
        "units_without_order": (given, reported(bank, given, currency, ends)),
    }
    fx = total - value - rest - sum(amount for _, amount in by_reason.values())
    for customer, share in (position.holders if position else {moved[0].owner: ONE} if moved else {}).items():
        if customer not in bank.spells:
            continue
        parts = result.parts[customer, month] if fx or (rest and not is_account) else Counter()
        parts["fx"] += fx * Fraction(share)
        parts["market"] += 0 if is_account else rest * Fraction(share)
        for reason, (local, amount) in by_reason.items():
            if amount and share:
                result.correct(month, customer, reason, currency, True, 0, local * share, amount * Fraction(share))


def _stated(position: Position, day: date) -> Decimal:
    return position.day_ends.on(day) or ZERO


def _units_given(position, opens: date, ends: date, moved: list[Posting]) -> Decimal:
    """Units that came without an order at the price they were last seen at; nothing where a unit is not told."""
    held: Dated | None = position and position.units
    ordered = [one.units for one in moved]
    if held is None or None in ordered:
        return ZERO
    days = [opens, *(day for day in held.days if opens < day <= ends)]
    known = [day for day in days if held.on(day)]
    change = (held.on(ends) or ZERO) - (held.on(opens) or ZERO) - sum(ordered, ZERO)
    if not change or not known:
        return ZERO
    return rounded(Fraction(position.day_ends.on(known[-1])) * Fraction(change) / Fraction(held.on(known[-1])), 2)


def _month_ends(bank: Bank) -> dict[tuple[str, date], Decimal]:
    """Assets of each customer at each month's end as they are shown: by family to the cent, then added up."""
    families = defaultdict(Fraction)
    for position in bank.positions:
        if _counts(bank, position):
            family = bank.products[position.product_id]["product_family"]
            for month in bank.months:
                day = bank.days(month)[-1]
                amount = reported(bank, max(_stated(position, day), ZERO), position.currency, day)
                for customer, share in position.holders.items() if amount else ():
                    families[customer, month, family] += amount * Fraction(share)
    shown = defaultdict(lambda: Decimal("0.00"))
    for (customer, month, _), amount in families.items():
        shown[customer, month] += rounded(amount, 2)
    return shown


def _rows(bank: Bank, aum: dict, months: list[date], result: Bridges) -> dict:
    closings = defaultdict(lambda: ZERO)
    for (customer, month, _), row in aum.items():
        closings[customer, month] += row["eop_amount"]
    closings = {key: amount for key, amount in closings.items() if amount}
    keys = set(closings) | {(customer, next_month(month)) for customer, month in closings} | set(result.parts)
    least, share = bank.parameter("bridge_tolerance_amount"), bank.parameter("bridge_tolerance_share")
    rows = {}
    for customer, month in keys:
        if month not in months:
            continue
        part = {
            name: rounded(result.parts.get((customer, month), {}).get(name, 0), 2) for name in (*PARTS, "converted")
        }
        opening = closings.get((customer, _before(month)), Decimal("0.00"))
        closing = closings.get((customer, month), Decimal("0.00"))
        residual = closing - opening - sum(part[name] for name in PARTS)
        rows[customer, month] = {
            "opening_amount": opening,
            "net_new_money_strict_amount": part["external"],
            "net_new_money_with_income_amount": part["external"] + part["income"],
            "net_new_fee_generating_amount": part["external"] + part["income"] + part["fee"],
            "market_movement_amount": part["market"],
            "fx_movement_amount": part["fx"],
            "income_amount": part["income"],
            "fee_amount": -part["fee"],
            "conversion_amount": ZERO,
            "converted_amount": part["converted"],
            "internal_transfer_amount": part["transfer"],
            "correction_amount": part["correction"],
            "residual_amount": residual,
            "closing_amount": closing,
            "is_closed": abs(residual) <= max(least, share * max(opening, closing)),
        }
    return rows


def _before(month: date) -> date:
    return month_of(month - timedelta(days=1))


def _corrections(result: Bridges) -> dict:
    return {
        (customer, month, reason, currency): {
            "transactions": movements,
            "amount": None if amount is None else rounded(amount, 2),
            "correction_amount": None if value is None else rounded(value, 2),
            "is_in_bridge": is_in_bridge,
        }
        for (month, customer, reason, currency, is_in_bridge), (movements, amount, value) in result.corrections.items()
    }
