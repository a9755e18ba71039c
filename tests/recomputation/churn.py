"""Who left, in which of four ways, by definition: month by month of every customer."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from .arithmetic import OPEN_END_AT, ZERO, days_in, month_of, rounded
from .bank import Bank
from .near_thresholds import before
from .own_acts import OwnActs


@dataclass(frozen=True)
class Stay:
    """A time with the bank, its relationship (number and first day), and whether the customer came back soon after it."""

    starts: date
    ends: date | None
    number: int
    relationship_starts: date
    is_closing: bool
    is_reopened: bool | None

    def runs_on(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


class Leaving:
    """What is known of each customer's months: stays, assets at first prices and rates, own acts."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.acts, self.partial = bank, OwnActs(bank), bank.customer_months()
        self._numbers: dict[str, Decimal] = {}
        self.stays = {customer: stays for customer in bank.spells if (stays := list(self._stays(customer)))}
        self.assets = self._assets()
        self.closings = sum(stay.ends is not None for stays in self.stays.values() for stay in stays)

    def number(self, name: str) -> Decimal:
        if name not in self._numbers:
            self._numbers[name] = self.bank.parameter(name)
        return self._numbers[name]

    def _stays(self, customer: str):
        today, gap = self.bank.business_date, int(self.number("relationship_gap_days"))
        spans = []
        for spell in self.bank.spells[customer]:
            ends = spell.ends if spell.ends and spell.ends <= today else None
            if spell.starts <= today and ends != spell.starts:
                spans.append((spell.starts, ends))
        number, first = 0, None
        for place, (starts, ends) in enumerate(spans):
            following = spans[place + 1][0] if place + 1 < len(spans) else None
            ended = min((day for day in (ends, following) if day), default=None)
            if place == 0 or (starts - min(spans[place - 1][1] or starts, starts)).days > gap:
                number, first = number + 1, starts
            is_reopened = None
            if following:
                is_reopened = (following - ended).days <= gap
            elif ended and (today - ended).days >= gap:
                is_reopened = False
            is_closing = ended is not None and (following is None or following > ended)
            yield Stay(starts, ended, number, first, is_closing, is_reopened)

    def _assets(self) -> dict[tuple[str, date], Decimal]:
        sums = defaultdict(Fraction)
        for position in self.bank.positions:
            if not self.bank.products[position.product_id]["counts_in_aum"]:
                continue
            first_rate = self.bank.rates[position.currency].values[0]
            for month in self.bank.months:
                amounts = Counter(position.amount_on(day) for day in self.bank.days(month))
                total = ZERO
                for amount, days in amounts.items():
                    if amount and amount > 0:
                        at_first_rate = rounded(amount * first_rate, 6)
                        factor = self._price_factor(position.product_id, month)
                        total += rounded(at_first_rate * factor, 6) * days
                for customer, share in position.holders.items():
                    sums[customer, month] += Fraction(total) * Fraction(share)
        return {key: rounded(sums[key] / len(self.bank.days(key[1])), 2) for key in self.partial}

    def _price_factor(self, product: str, month: date) -> Decimal:
        """First price over the month's, to 9 places; a month without a price has the one before."""
        navs = {then: found for then, found in self.bank.navs.get(product, {}).items() if then in self.bank.months}
        if not navs:
            return Decimal(1)
        known = [then for then in sorted(navs) if then <= month] or [min(navs)]
        mean = {then: Fraction(sum(navs[then])) / len(navs[then]) for then in (min(navs), known[-1])}
        return rounded(mean[min(navs)] / mean[known[-1]], 9)

    def stay_in(self, customer: str, month: date) -> Stay:
        """The last stay that a month touches."""
        return [s for s in self.stays[customer] if any(s.runs_on(day) for day in self.bank.days(month))][-1]

    def whole(self, customer: str, month: date) -> Decimal | None:
        return self.assets[customer, month] if self.partial.get((customer, month)) is False else None

    def silence(self, customer: str, month: date) -> tuple[date | None, int, bool]:
        """Last own act, days without one, and whether that many are all there were."""
        stay, end = self.stay_in(customer, month), self.bank.days(month)[-1]
        opened = stay.starts if stay.starts >= self.bank.first_month else None
        last = max((day for day in (opened, self.acts.last(customer, end)) if day), default=None)
        return last, (end - (last or self.bank.first_month - timedelta(days=1))).days, last is not None

    def silent(self, customer: str, month: date, least: str) -> bool | None:
        _, days, is_known = self.silence(customer, month)
        if not self.acts.policy or not self.stay_in(customer, month).runs_on(self.bank.days(month)[-1]):
            return None
        return True if days >= self.number(least) else False if is_known else None

    def fall(self, customer: str, month: date) -> tuple[Decimal | None, bool | None]:
        """The trailing maximum and whether the last months are all at or below the share of it."""
        judged, window = int(self.number("value_churn_months")), int(self.number("value_churn_window_months"))
        amounts = [self.whole(customer, before(month, back)) for back in range(judged + window)]
        if None in amounts:
            return None, None
        most = max(amounts[judged:])
        if most < self.number("value_churn_min_amount"):
            return most, False
        return most, max(amounts[:judged]) <= self.number("value_churn_max_share") * most

    def may_begin(self, customer: str, month: date) -> bool:
        """Below the share of the maximum of the window right before this month."""
        amounts = [self.whole(customer, before(month, back)) for back in range(int(self.number("value_churn_window_months")) + 1)]  # fmt: skip
        if None in amounts:
            return False
        most, share = max(amounts[1:]), self.number("value_churn_max_share")
        return most >= self.number("value_churn_min_amount") and amounts[0] <= share * most


def customer_churn(known: Leaving, history: dict) -> dict[tuple[str, date], dict]:
    bank = known.bank
    assert not bank.policy("churn_signs")  # no bank here shows a cause: nothing would prove what is said of one
    tiers = defaultdict(list)
    for (customer, valid_from, _), row in history.items():
        if row["known_to"] == OPEN_END_AT:
            tiers[customer].append((valid_from, row["valid_to"], row["tier_code"], row["movement"]))
    rows = {}
    for customer, month in known.partial:
        rows[customer, month] = _row(known, customer, month, tiers[customer])
    for (customer, month), row in rows.items():
        if row["is_value_churn"]:
            first = month
            while rows.get((customer, before(first, 1)), {}).get("is_value_churn"):
                first = before(first, 1)
            row["value_churn_from"] = first
    return rows


def _row(known: Leaving, customer: str, month: date, tiers: list[tuple]) -> dict:
    bank, key = known.bank, (customer, month)
    end = bank.days(month)[-1]
    tells_closings = known.closings >= known.number("life_table_min_exits")
    closing = next((s for s in reversed(known.stays[customer]) if s.is_closing and month_of(s.ends - timedelta(days=1)) == month), None)  # fmt: skip
    most, is_value = known.fall(customer, month)
    is_silent, is_watched = (known.silent(customer, month, f"silent_{name}_days") for name in ("churn", "watch"))
    last = known.silence(customer, month)[0]
    is_tier, fell_on = None, end + timedelta(days=1)
    if end < bank.business_date and any(start <= end < stop and tier for start, stop, tier, _ in tiers):
        is_tier = any(start == fell_on and movement == "down" for start, _, _, movement in tiers)
    lost = None
    if closing:
        earlier = customer, before(month, 1)
        if earlier in known.assets:
            lost = known.assets[earlier]
        elif closing.starts >= bank.first_month:
            lost = known.assets[key]
    elif is_value is not None:
        lost = most - known.assets[key] if is_value else Decimal("0.00")
    is_over, is_last = len(bank.days(month)) == days_in(month), month == bank.months[-1]
    is_pending = not is_over or (known.may_begin(*key) and not is_value) or bool(is_watched and not is_silent)
    return {
        "is_closed": closing is not None if tells_closings else None,
        "closed_on": closing.ends if closing else None,
        "is_reopened": closing.is_reopened if closing else None,
        "is_value_churn": is_value,
        "value_churn_from": None,
        "adjusted_adb_amount": known.assets[key],
        "trailing_max_amount": most,
        "is_silent_churn": is_silent,
        "is_silent_90d": is_watched,
        "last_event_on": last,
        "silent_from": last + timedelta(days=1) if is_watched and last else None,
        "is_tier_churn": is_tier,
        "tier_churned_on": fell_on if is_tier else None,
        "is_involuntary": None,
        "involuntary_cause": None,
        "involuntary_on": None,
        "value_lost_amount": lost,
        "is_censored": is_last and known.stay_in(*key).runs_on(end) and is_pending,
    }
