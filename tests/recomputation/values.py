"""What each customer is worth, by definition: every month ahead of every customer is walked."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from .arithmetic import ZERO, days_in, next_month, rounded
from .bank import Bank, Spell
from .near_thresholds import before

SCENARIOS = {
    "lifetime_value": ("value_discount_rate", "value_horizon_months"),
    "lifetime_low_discount_value": ("value_discount_low_rate", "value_horizon_months"),
    "lifetime_high_discount_value": ("value_discount_high_rate", "value_horizon_months"),
    "lifetime_short_horizon_value": ("value_discount_rate", "value_horizon_short_months"),
    "lifetime_long_horizon_value": ("value_discount_rate", "value_horizon_long_months"),
    "next_year_value": (None, None),
}


def cents(value: float) -> Decimal:
    return Decimal(math.floor(abs(value) * 100 + 0.5) * (1 if value >= 0 else -1)).scaleb(-2)


def lower_middle(values: list):
    return sorted(values)[(len(values) + 1) // 2 - 1]


def months_apart(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


class Valuation:
    """Everything that is known of a bank's customers month by month, as of each month's end."""

    def __init__(self, bank: Bank, aum: dict, tiers: dict, contributions: dict) -> None:
        self.bank, self.contributions = bank, contributions
        self.months = bank.months
        self._numbers: dict[str, Decimal] = {}
        self.ends = {month: bank.days(month)[-1] for month in self.months}
        self.complete = {month for month in self.months if len(bank.days(month)) == days_in(month)}
        self.assets = defaultdict(Decimal)
        for (customer, month, _), row in aum.items():
            self.assets[customer, month] += row["adb_amount"]
        self.spell: dict[tuple[str, date], Spell] = {}
        for customer, month in contributions:
            touching = [s for s in bank.spells[customer] if any(s.runs_on(day) for day in bank.days(month))]
            self.spell[customer, month] = touching[-1]
        self.here = {key for key, spell in self.spell.items() if spell.runs_on(self.ends[key[1]])}
        self.traits = {key: self._traits(*key, tiers) for key in self.here}
        self.life = self._life_table()
        self.cell = {key: self._own_cell(key) for key in self.here}
        self.logs = self._logs()
        self.year = {key: self._year(*key) for key in self.spell}
        self.wallet = self._wallets()
        self.learned = {}
        self._learn()

    def number(self, name: str) -> Decimal:
        if name not in self._numbers:
            self._numbers[name] = self.bank.parameter(name)
        return self._numbers[name]

    def _traits(self, customer: str, month: date, tiers: dict) -> tuple:
        """Tier, tenure band, age band; city tier and occupation; declared wealth."""
        end, spell = self.ends[month], self.spell[customer, month]
        born, city_tier, occupation, declared = self.bank.traits[customer].on_or_first(end)
        after = end + timedelta(days=1)
        tenure = months_apart(spell.starts, after) - (after.day < spell.starts.day)
        band = 1 + sum(tenure >= self.number(f"tenure_band_{n}_months") for n in (1, 2, 3))
        listed = self.bank.age_band_on(born, end)
        age_band = listed["age_band"] if listed else ""
        tier = tiers[customer, month]["tier_code"] if (customer, month) in tiers else None
        return (tier or "unrated", str(band), age_band), (city_tier or "", occupation or ""), declared

    def widths(self, key: tuple[str, date]) -> list[str]:
        """Cells of a customer at a month's end, the narrowest first."""
        tier, tenure, age = self.traits[key][0]
        return [f"{tier}|{tenure}|{age}", f"{tier}|{tenure}", tier, ""]

    def _life_table(self) -> dict[tuple[date, str], tuple[int, int]]:
        """Customer-months and exits by cell, of all months that were over by a month."""
        counted = defaultdict(lambda: [0, 0])
        for customer, month in self.here:
            following = next_month(month)
            if following not in self.complete:
                continue
            end, spell = self.ends[following], self.spell[customer, month]
            has_left = spell.ends is not None and spell.ends <= end
            later = [s for s in self.bank.spells[customer] if s.starts > spell.starts]
            has_left = has_left or bool(later and spell.ends is None and later[0].starts <= end)
            for cell in set(self.widths((customer, month))):
                counted[following, cell][0] += 1
                counted[following, cell][1] += has_left
        least = self.number("life_table_min_months")
        table = {}
        for cell in {cell for _, cell in counted}:
            exposure = exits = 0
            for month in self.months:
                exposure += counted[month, cell][0] if (month, cell) in counted else 0
                exits += counted[month, cell][1] if (month, cell) in counted else 0
                if exposure >= least:
                    table[month, cell] = exposure, exits
        few = self.number("life_table_min_exits")
        return {place: row for place, row in table.items() if table[place[0], ""][1] >= few}

    def _own_cell(self, key: tuple[str, date]) -> str | None:
        return next((cell for cell in self.widths(key) if (key[1], cell) in self.life), None)

    def _logs(self) -> dict[tuple[str, date], float]:
        """Logarithm of average assets at the first prices and rates, of months that the customer was here from the first day on."""
        sums = defaultdict(float)
        for position in self.bank.positions:
            if not self.bank.products[position.product_id]["counts_in_aum"]:
                continue
            first_rate = self.bank.rates[position.currency].values[0]
            for month in self.months:
                amounts = [max(amount, ZERO) for day in self.bank.days(month) if (amount := position.amount_on(day))]
                if not any(amounts):
                    continue
                factor = self._price_factor(position.product_id, month)
                total = float(sum(rounded(amount * first_rate, 6) for amount in amounts)) * factor
                for customer, share in position.holders.items():
                    sums[customer, month] += total * float(share)
        return {
            key: round(math.log(total / len(self.bank.days(key[1]))), 9)
            for key, total in sums.items()
            if total > 0 and key in self.spell and self.spell[key].starts <= key[1]
        }

    def _price_factor(self, product: str, month: date) -> float:
        navs = {then: found for then, found in self.bank.navs.get(product, {}).items() if then in self.ends}
        if not navs:
            return 1.0
        known = [then for then in sorted(navs) if then <= month] or [min(navs)]
        mean = {then: Fraction(sum(navs[then])) / len(navs[then]) for then in (min(navs), known[-1])}
        return float(round(mean[min(navs)] / mean[known[-1]], 9))

    def _year(self, customer: str, month: date) -> dict:
        year = [before(month, back) for back in range(12)]
        year = [then for then in year if (customer, then) in self.spell]
        found = {"months": len(year), "assets": sum((self.assets[customer, then] for then in year), ZERO)}
        for kind in ("avoidable", "full"):
            parts = [self.contributions[customer, then][f"contribution_{kind}_amount"] for then in year]
            found[kind] = None if None in parts else sum(parts, ZERO)
        spell = self.spell[customer, month]
        logs = {
            months_apart(then, month): self.logs[customer, then]
            for then in year
            if (customer, then) in self.logs and self.spell[customer, then] is spell
        }
        slopes = [(logs[a] - logs[b]) / (b - a) for a in logs for b in logs if a < b]
        steps = 0
        if slopes:
            most = float(self.number("growth_max_rate"))
            slope = max(-most, min(most, statistics.median(slopes)))
            steps = slope * len(logs) / (len(logs) + int(self.number("growth_prior_months")))
            steps = int(rounded(Fraction(steps / float(self.number("growth_step_rate"))), 0))
        found["steps"] = steps
        found["margin"] = None
        if found["assets"] > 0 and found["avoidable"] is not None:
            most = Fraction(self.number("margin_max_rate"))
            margin = Fraction(found["avoidable"]) / Fraction(found["assets"])
            found["margin"] = rounded(max(-most, min(most, margin)), 12)
        return found

    def _wallets(self) -> dict[tuple[str, date], tuple[Decimal, str]]:
        peers = defaultdict(list)
        for key in self.here:
            for width in range(5):
                peers[key[1], self._peer_group(key)[:width]].append(self.assets[key])
        least, quantile = self.number("wallet_min_customers"), self.number("peer_wallet_quantile")
        told = {
            group: sorted(amounts)[math.ceil(quantile * len(amounts)) - 1]
            for group, amounts in peers.items()
            if len(amounts) >= least
        }
        wallets = {}
        for key in self.here:
            groups = [(key[1], self._peer_group(key)[:width]) for width in range(4, -1, -1)]
            peer = next((told[group] for group in groups if group in told), None)
            sources = {"own": self.assets[key], "declared": self.traits[key][2], "peer_quantile": peer}
            most = max(amount for amount in sources.values() if amount is not None)
            wallets[key] = most, next(name for name, amount in sources.items() if amount == most)
        return wallets

    def _peer_group(self, key: tuple[str, date]) -> tuple:
        (_, tenure, age), (city_tier, occupation), _ = self.traits[key]
        return age, city_tier, occupation, tenure

    def _learn(self) -> None:
        """By month and cell: the middle customer's margin, trend and assets; the share of the gap that was captured in a year."""
        least = self.number("cell_min_customers")
        members, followed = defaultdict(list), defaultdict(list)
        for customer, month in self.here:
            if self.assets[customer, month] > 0:
                for cell in set(self.widths((customer, month))):
                    members[month, cell].append((customer, month))
        for month in self.months[1:]:
            origin = max(before(month, 12), self.months[0])
            for customer, then in self.here:
                wealth, assets = (self.wallet[customer, then][0], self.assets[customer, then])
                if then == origin and (customer, month) in self.here and wealth > assets:
                    for cell in set(self.widths((customer, then))):
                        followed[month, cell].append((self.assets[customer, month] - assets, wealth - assets, origin))
        for place, keys in members.items():
            if len(keys) >= least:
                years = [self.year[key] for key in keys]
                margins = [year["margin"] for year in years if year["margin"] is not None]
                self.learned["margin", *place] = lower_middle(margins) if margins else None
                self.learned["steps", *place] = lower_middle([year["steps"] for year in years])
                self.learned["assets", *place] = lower_middle([self.assets[key] for key in keys])
        for place, gaps in followed.items():
            if len(gaps) >= least:
                closed = float(sum(gap[0] for gap in gaps)) / float(sum(gap[1] for gap in gaps))
                span = months_apart(gaps[0][2], place[0])
                self.learned["capture", *place] = round(1 - (1 - max(0.0, min(1.0, closed))) ** (12 / span), 6)

    def usual(self, what: str, month: date, cell: str | None):
        """What is usual in a cell, or in the next wider one that tells."""
        if cell is None:
            return None
        parts = cell.split("|")
        wider = [cell, *("|".join(parts[:count]) for count in (2, 1) if count < len(parts)), ""]
        found = (self.learned.get((what, month, name)) for name in wider)
        return next((value for value in found if value is not None), None)
