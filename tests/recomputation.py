"""The marts, worked out a second time from the banks' files: by day, in Decimal, sharing nothing with the SQL.

Only definitions are shared: the column descriptions of the marts, the policy files, and how each bank writes its files.
Every position is walked day by day; nothing is rounded but where a definition says so, half away from zero.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from crm_warehouse.privacy import customer_key_of, read_key
from crm_warehouse.settings import PROJECT

OPEN_END = date(9999, 12, 31)
OPEN_END_AT = datetime(9999, 12, 31)
ZERO = Decimal(0)
ONE = Decimal(1)


# --- arithmetic and dates ---------------------------------------------------------------------------------------------


def rounded(value: Decimal | Fraction | int, places: int) -> Decimal:
    """Half away from zero, from the exact value."""
    exact = Fraction(value) * 10**places
    whole = abs(exact) + Fraction(1, 2)
    units = whole.numerator // whole.denominator
    return Decimal(units if exact >= 0 else -units).scaleb(-places)


def converted(amount: Decimal, rate: Decimal) -> Decimal:
    """An amount of a day in the reporting currency, to 6 decimals; what is overdrawn counts as zero."""
    if amount <= 0:
        return ZERO
    if rate == 1:
        return amount
    with localcontext() as context:
        context.prec = 60
        return (amount * rate + Decimal("0.0000005")).quantize(Decimal("0.000001"), rounding=ROUND_FLOOR)


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def days_in(month: date) -> int:
    return monthrange(month.year, month.month)[1]


def text_or_none(value: object) -> str | None:
    return None if value is None or value != value or value == "" else str(value)


def day_or_none(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value) if text_or_none(value) else None


def number_or_none(value: object) -> Decimal | None:
    return None if text_or_none(value) is None else Decimal(str(value))


class Dated:
    """Values that each stand from their own day to the next one's."""

    def __init__(self, values: Iterable[tuple[date, object]]) -> None:
        pairs = sorted(values, key=lambda pair: pair[0])
        self.days, self.values = [day for day, _ in pairs], [value for _, value in pairs]

    def on(self, day: date):
        position = bisect_right(self.days, day)
        return self.values[position - 1] if position else None

    def on_or_first(self, day: date):
        return self.values[max(bisect_right(self.days, day) - 1, 0)]


# --- what a bank is ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spell:
    """A relationship from its first day to the day it ended (exclusive), and when each of the two became known."""

    starts: date
    ends: date | None
    start_known: datetime
    end_known: datetime | None

    def runs_on(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


@dataclass
class Position:
    """An account, or a customer's holding of one product: amounts by day end, and the averages the bank states."""

    product_id: str
    currency: str
    holders: dict[str, Decimal]
    day_ends: Dated  # None from the day on which it is no longer held
    averages: dict[date, Decimal] = field(default_factory=dict)

    def amount_on(self, day: date) -> Decimal | None:
        return self.averages[month_of(day)] if month_of(day) in self.averages else self.day_ends.on(day)


@dataclass
class Account:
    customer_id: str
    opened_on: date
    closed_on: date | None


@dataclass
class Loan:
    customer_id: str
    product_id: str
    currency: str
    interest_rate: Decimal
    opened_on: date
    states: Dated  # (outstanding, probability of default, loss given default), or None once repaid


@dataclass
class Bank:
    bank: str
    business_date: date
    first_month: date
    spells: dict[str, list[Spell]]
    customers: dict[str, dict]
    products: dict[str, dict]
    positions: list[Position]
    rates: dict[str, Dated]
    accounts: dict[str, Account]
    fees: pd.DataFrame  # customer_id, month, listed, charged
    ratings_known: dict[date, datetime]
    branches: list[dict]
    calendar: dict[date, tuple[bool, str | None]] | None = None
    managers: dict[str, str] = field(default_factory=dict)
    loans: list[Loan] | None = None
    transfer_prices: dict[tuple[str, int, str], Dated] | None = None
    activities: pd.DataFrame | None = None  # customer_id, month, activity, channel
    unit_costs: dict[tuple[str, str, date], tuple[Decimal, Decimal]] | None = None
    perks: list[tuple[str, date, date | None, Decimal]] | None = None

    @property
    def months(self) -> list[date]:
        months = [self.first_month]
        while next_month(months[-1]) <= self.business_date:
            months.append(next_month(months[-1]))
        return months

    def days(self, month: date) -> list[date]:
        """Days of a month; of a month in progress, the days so far."""
        days = [month + timedelta(days=number) for number in range(days_in(month))]
        return [day for day in days if day <= self.business_date]

    def policy(self, name: str) -> list[dict]:
        frame = pd.read_csv(
            PROJECT / "dbt_project" / "banks" / self.bank / "policy" / f"{name}.csv", dtype=str, keep_default_na=False
        )
        return frame.to_dict("records")

    def parameter(self, name: str) -> Decimal:
        rows = [(date.fromisoformat(row["effective_from"]), row["value"]) for row in self.policy("policy_parameters")
                if row["parameter"] == name]  # fmt: skip
        return Decimal(Dated(rows).on(self.business_date))

    def customer_months(self) -> dict[tuple[str, date], bool]:
        """Months in which a customer was with the bank at least a day, and whether the month is partial."""
        found = {}
        for month in self.months:
            days = self.days(month)
            for customer, spells in self.spells.items():
                present = sum(any(spell.runs_on(day) for spell in spells) for day in days)
                if present:
                    found[customer, month] = present < days_in(month)
        return found


# --- reading the reference bank ---------------------------------------------------------------------------------------

WRITTEN = {
    "core": {"encoding": "gb18030", "sep": "|"},
    "finance": {"encoding": "utf-8", "sep": r"\|\+\|", "engine": "python"},
    "reference": {"encoding": "utf-8", "sep": ","},
}


def read_deliveries(root: Path, source: str, extract: str) -> pd.DataFrame:
    """All deliveries of an extract, in order, each row with its delivery's date and when it was sent."""
    frames = []
    for folder in sorted((root / source).iterdir()):
        if source == "wealth":
            frame = pd.read_parquet(folder / f"{extract}.parquet")
        elif source == "crm":
            lines = (folder / f"{extract}.jsonl").read_text(encoding="utf-8").splitlines()
            frame = pd.DataFrame([json.loads(line) for line in lines], dtype=object)
            frame = frame.map(
                lambda value: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            )
        else:
            suffix = "txt" if source == "finance" else "csv"
            frame = pd.read_csv(folder / f"{extract}.{suffix}", dtype=str, keep_default_na=False, **WRITTEN[source])
        frames.append(frame.assign(delivered=date.fromisoformat(folder.name), sent_at=sent_at(folder, extract)))
    return pd.concat(frames, ignore_index=True)


def sent_at(folder: Path, extract: str) -> datetime:
    lines = dict(line.split("=", 1) for line in (folder / f"{extract}.ctl").read_text(encoding="utf-8").splitlines())
    return datetime.fromisoformat(lines["sent_at"]).astimezone(UTC).replace(tzinfo=None)


def latest(frame: pd.DataFrame) -> list[dict]:
    return frame[frame.delivered == frame.delivered.max()].to_dict("records")


def spells_of(customers: pd.DataFrame) -> dict[str, list[Spell]]:
    """Every opening date that any delivery named, each with the last closing date named for it."""
    spells = {}
    for customer, rows in customers.groupby("customer_id", sort=True):
        found: dict[date, Spell] = {}
        for row in rows.sort_values("delivered").itertuples():
            starts, ends = date.fromisoformat(row.onboarded_on), day_or_none(row.closed_on)
            known = found.get(starts)
            end_known = known.end_known if known and known.ends == ends else row.sent_at if ends else None
            found[starts] = Spell(starts, ends, known.start_known if known else row.sent_at, end_known)
        spells[customer] = [found[starts] for starts in sorted(found)]
    return spells


def read_reference_bank(root: Path, business_date: date) -> Bank:
    customers = read_deliveries(root, "core", "customers")
    accounts = latest(read_deliveries(root, "core", "accounts"))
    balances = read_deliveries(root, "core", "balances")
    holdings = read_deliveries(root, "wealth", "holdings")
    holders = defaultdict(dict)
    for row in latest(read_deliveries(root, "core", "account_holders")):
        holders[row["account_id"]][row["customer_id"]] = Decimal(row["share_fraction"])

    # Months come from the day; the deliveries that decide a month are those whose rows lie in it.
    ratings_known: dict[date, datetime] = {}
    for frame, column in ((balances, "balance_date"), (holdings, "holding_date")):
        for month, moment in zip(frame[column].map(day_or_none).map(month_of), frame.sent_at, strict=True):
            ratings_known[month] = max(ratings_known.get(month, datetime.min), moment.to_pydatetime())

    positions = [*account_positions(accounts, balances, holders), *holding_positions(holdings)]
    rates = defaultdict(list)
    for row in read_deliveries(root, "reference", "fx_rates").itertuples():
        rates[row.currency_code].append((date.fromisoformat(row.rate_date), Decimal(row.cny_per_unit)))

    fees = read_deliveries(root, "core", "fees")
    branches = latest(read_deliveries(root, "reference", "branches"))
    prices = defaultdict(list)
    for row in latest(read_deliveries(root, "finance", "ftp_rates")):
        key = row["product_family"], int(row["tenor_days"]), row["currency_code"]
        prices[key].append((date.fromisoformat(row["effective_on"]), Decimal(row["rate"])))

    return Bank(
        bank="reference_bank",
        business_date=business_date,
        first_month=min(ratings_known),
        spells=spells_of(customers),
        customers={row["customer_id"]: row for row in latest(customers)},
        products={row["product_id"]: row for row in latest(read_deliveries(root, "wealth", "products"))},
        positions=positions,
        rates={currency: Dated(pairs) for currency, pairs in rates.items()},
        accounts={
            row["account_id"]: Account(
                row["customer_id"], date.fromisoformat(row["opened_on"]), day_or_none(row["closed_on"])
            )
            for row in accounts
        },
        fees=pd.DataFrame(
            {
                "customer_id": fees.customer_id,
                "month": fees.fee_date.map(date.fromisoformat).map(month_of),
                "listed": fees.list_amount.map(Decimal),
                "charged": fees.charged_amount.map(Decimal),
            }
        ),
        ratings_known=ratings_known,
        branches=branches,
        calendar={
            date.fromisoformat(row["calendar_date"]): (row["is_business_day"] == "true", row["holiday_name"] or None)
            for row in latest(read_deliveries(root, "reference", "calendar"))
        },
        managers={
            row["customer_id"]: row["rm_id"]
            for row in latest(read_deliveries(root, "crm", "rm_assignments"))
            if row["assignment_role"] == "primary"
            and date.fromisoformat(row["valid_from"]) <= business_date
            and (day_or_none(row["valid_to"]) or OPEN_END) > business_date
        },
        loans=read_loans(read_deliveries(root, "core", "loans")),
        transfer_prices={key: Dated(pairs) for key, pairs in prices.items()},
        activities=read_activities(root, accounts),
        unit_costs={
            (row["activity"], row["channel"], date.fromisoformat(row["month"])): (
                Decimal(row["full_unit_cost"]),
                Decimal(row["avoidable_unit_cost"]),
            )
            for row in latest(read_deliveries(root, "finance", "unit_costs"))
        },
        perks=[
            (
                row["customer_id"],
                date.fromisoformat(row["joined_on"]),
                day_or_none(row["left_on"]),
                Decimal(row["cost_amount"]),
            )
            for row in latest(read_deliveries(root, "crm", "programmes"))
        ],
    )


def account_positions(accounts: list[dict], balances: pd.DataFrame, holders: dict) -> Iterator[Position]:
    """An account keeps its last balance until its next one, or until the day it is closed."""
    of_account = dict(list(balances.groupby("account_id")))
    for account in accounts:
        day_ends, averages = [], {}
        closed_on = day_or_none(account["closed_on"])
        for row in of_account[account["account_id"]].itertuples() if account["account_id"] in of_account else ():
            day, amount = date.fromisoformat(row.balance_date), Decimal(row.balance_amount)
            if row.balance_basis == "monthly_average":
                averages[month_of(day)] = amount
            elif closed_on is None or day < closed_on:
                day_ends.append((day, amount))
        if closed_on:
            day_ends.append((closed_on, None))
        yield Position(
            account["product_id"], account["currency_code"], holders[account["account_id"]], Dated(day_ends), averages
        )


def holding_positions(holdings: pd.DataFrame) -> Iterator[Position]:
    """Each date's rows are the whole of what is held: a holding ends with the next date that does not name it."""
    holdings = holdings.assign(day=holdings.holding_date.map(day_or_none))
    day_end_rows = holdings[holdings.balance_basis == "end_of_day"]
    dates = sorted(day_end_rows.day.unique())
    for (customer, product), rows in holdings.groupby(["customer_id", "product_id"]):
        is_average = rows.balance_basis == "monthly_average"
        named = {row.day: Decimal(row.market_value_amount) for row in rows[~is_average].itertuples()}
        averages = {month_of(row.day): Decimal(row.market_value_amount) for row in rows[is_average].itertuples()}
        currency = rows.currency_code.iloc[0]
        yield Position(product, currency, {customer: ONE}, Dated([(day, named.get(day)) for day in dates]), averages)


def read_loans(rows: pd.DataFrame) -> list[Loan]:
    dates = sorted(rows.loan_date.unique())
    loans = []
    for _, states in rows.groupby("loan_id"):
        named = {
            row.loan_date: tuple(
                Decimal(value) for value in (row.outstanding_amount, row.probability_of_default, row.loss_given_default)
            )
            for row in states.itertuples()
        }
        first = states.iloc[0]
        loans.append(
            Loan(
                first.customer_id,
                first.product_id,
                first.currency_code,
                Decimal(first.interest_rate),
                date.fromisoformat(first.opened_on),
                Dated([(date.fromisoformat(day), named.get(day)) for day in dates]),
            )
        )
    return loans


def read_activities(root: Path, accounts: list[dict]) -> pd.DataFrame:
    """Transactions by their business day, contacts by their timestamp as it stands."""
    owner = {row["account_id"]: row["customer_id"] for row in accounts}
    transactions = read_deliveries(root, "core", "transactions")
    contacts = read_deliveries(root, "crm", "contacts")
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "customer_id": transactions.account_id.map(owner),
                    "month": transactions.transaction_date.map(date.fromisoformat).map(month_of),
                    "activity": "transaction",
                    "channel": transactions.channel,
                }
            ),
            pd.DataFrame(
                {
                    "customer_id": contacts.customer_id,
                    "month": contacts.contacted_at.str[:10].map(date.fromisoformat).map(month_of),
                    "activity": "contact",
                    "channel": contacts.channel,
                }
            ),
        ],
        ignore_index=True,
    )


# --- reading the real bank --------------------------------------------------------------------------------------------


def eagle_transactions(data: Path, business_date: date) -> pd.DataFrame:
    """Whole rows of the transaction file up to the business date, re-dated by 20 years; credits positive."""
    text = (data / "berka" / "trans_first_3MiB_TRUNCATED.asc").read_bytes().decode("ascii")
    lines = text.split("\r\n") if "\r\n" in text else text.split("\n")
    rows = [[value.strip('"') for value in line.split(";")] for line in lines[1:-1]]  # the last row is cut
    frame = pd.DataFrame(rows, columns=[name.strip('"') for name in lines[0].split(";")])
    days = pd.to_datetime(frame.date, format="%y%m%d").dt.date
    frame["day"] = [day.replace(year=day.year + 20) for day in days]
    frame["account_id"] = "A" + frame.account_id.str.zfill(8)
    frame["amount"] = frame.amount.map(Decimal)
    frame["signed"] = frame.amount.where(frame.type == "PRIJEM", -frame.amount)
    return frame[frame.day <= business_date]


def read_eagle_bank(data: Path, business_date: date) -> Bank:
    """The real bank: an owner holds the whole account, a user none of it; a customer since the first account."""
    received = datetime.combine(business_date + timedelta(days=1), datetime.min.time()).replace(hour=2)
    received = received.replace(tzinfo=ZoneInfo("Europe/Prague")).astimezone(UTC).replace(tzinfo=None)

    def table(name: str) -> pd.DataFrame:
        return pd.read_csv(data / "eagle_bank_crm" / f"completed{name}.csv", dtype=str, keep_default_na=False)

    accounts = table("acct").assign(opened_on=lambda frame: frame.parseddate.map(date.fromisoformat))
    accounts = accounts[accounts.opened_on <= business_date]
    dispositions = table("disposition").merge(accounts[["account_id", "opened_on"]], on="account_id")
    owners = dispositions[dispositions.type == "Owner"].set_index("account_id").client_id.to_dict()
    onboarded = dispositions.groupby("client_id").opened_on.min().to_dict()
    transactions = eagle_transactions(data, business_date)
    nets = transactions.groupby(["account_id", "day"], sort=True).signed.sum()
    positions = []
    for account, owner in owners.items():
        running, day_ends = ZERO, []
        for day, net in nets[account].items() if account in nets.index.get_level_values(0) else ():
            running += net
            day_ends.append((day, running))
        positions.append(Position("ACCOUNT", "CZK", {owner: ONE}, Dated(day_ends)))
    fees = transactions[transactions.k_symbol == "SLUZBY"]
    bank = Bank(
        bank="eagle_bank",
        business_date=business_date,
        first_month=month_of(transactions.day.min()),
        spells={client: [Spell(day, None, received, None)] for client, day in onboarded.items()},
        customers={
            row["client_id"]: {
                "region_code": row["state"],
                "gender": row["sex"].lower(),
                "birth_date": row["fulldate"],
                "onboarded_on": onboarded[row["client_id"]],
                "branch_id": row["district_id"],
            }
            for row in table("client").to_dict("records")
            if row["client_id"] in onboarded
        },
        products={},
        positions=positions,
        rates={"CZK": Dated([(date.min, ONE)])},
        accounts={
            row.account_id: Account(owners[row.account_id], row.opened_on, None) for row in accounts.itertuples()
        },
        fees=pd.DataFrame(
            {
                "customer_id": fees.account_id.map(owners),
                "month": fees.day.map(month_of),
                "listed": fees.amount,
                "charged": fees.amount,
            }
        ),
        ratings_known=defaultdict(lambda: received),
        branches=[
            {
                "branch_id": row["district_id"],
                "branch_name": row["city"],
                "region_code": row["state_abbrev"],
                "region_name": row["state_name"],
            }
            for row in table("district").to_dict("records")
        ],
    )
    bank.products = {
        row["product_id"]: {**row, "counts_in_aum": row["counts_in_aum"] == "true"}
        for row in bank.policy("bank_products")
    }
    return bank


# --- the marts, by definition -----------------------------------------------------------------------------------------


def aum_monthly(bank: Bank) -> dict[tuple[str, date, str], dict]:
    """Average and closing amount of each customer, month and family that counts in assets."""
    totals, closings = defaultdict(Decimal), defaultdict(Decimal)
    first_day, last_day = {}, {}
    for position in bank.positions:
        product = bank.products[position.product_id]
        if not product["counts_in_aum"]:
            continue
        rates, shares = bank.rates[position.currency], [pair for pair in position.holders.items() if pair[1] > 0]
        for month in bank.months:
            days = bank.days(month)
            held = [(day, amount) for day in days if (amount := position.amount_on(day)) is not None]
            if not held:
                continue
            total = sum((converted(amount, rates.on(day)) for day, amount in held), ZERO)
            closing = converted(position.day_ends.on(days[-1]) or ZERO, rates.on(days[-1]))
            for customer, share in shares:
                key = customer, month, product["product_family"]
                totals[key] += total * share
                closings[key] += closing * share
                first_day[key] = min(first_day.get(key, date.max), held[0][0])
                last_day[key] = max(last_day.get(key, date.min), held[-1][0])
    present = bank.customer_months()
    return {
        key: {
            "adb_amount": rounded(Fraction(total) / len(bank.days(key[1])), 2),
            "eop_amount": rounded(closings[key], 2),
            "days_observed": (last_day[key] - first_day[key]).days + 1,
        }
        for key, total in totals.items()
        if key[:2] in present
    }


@dataclass(frozen=True)
class Ladder:
    version: str
    volatile_to: Decimal | None
    rungs: list[dict]  # lowest first

    def rung(self, code: str) -> dict:
        return next(rung for rung in self.rungs if rung["tier_code"] == code)


def near_band(rung: dict) -> Decimal:
    band = rung["threshold"] * Decimal(rung["near_band_share"])
    return min(band, Decimal(rung["near_band_max_amount"])) if rung["near_band_max_amount"] else band


def active_ladder(bank: Bank) -> Ladder:
    (policy,) = [row for row in bank.policy("tier_policies") if row["is_active"] == "true"]
    rungs = [
        {**row, "threshold": Decimal(row["threshold_amount"]), "rank": int(row["tier_rank"])}
        for row in bank.policy("tier_thresholds")
        if (row["policy_id"], row["policy_version"]) == (policy["policy_id"], policy["policy_version"])
    ]
    rungs.sort(key=lambda rung: rung["rank"])
    return Ladder(policy["policy_version"], number_or_none(policy["volatile_to_amount"]), rungs)


def tiers_monthly(bank: Bank, aum: dict) -> dict[tuple[str, date], dict]:
    ladder = active_ladder(bank)
    ratings = defaultdict(Decimal)
    for (customer, month, _), amounts in aum.items():
        ratings[customer, month] += amounts["adb_amount"]
    private = next((rung for rung in ladder.rungs if rung["is_private_banking"] == "true"), None)
    rows = {}
    for key, is_partial in bank.customer_months().items():
        rating = ratings.get(key, ZERO)
        own = [rung for rung in ladder.rungs if rung["threshold"] <= rating][-1]
        above = next((rung for rung in ladder.rungs if rung["rank"] == own["rank"] + 1), None)
        qualified = None if private is None else rating >= private["threshold"]
        stability = None
        if qualified and ladder.volatile_to is not None:
            stability = "volatile" if rating <= ladder.volatile_to else "stable"
        rows[key] = {
            "policy_version": ladder.version,
            "rating_amount": rating,
            "tier_code": own["tier_code"],
            "tier_rank": own["rank"],
            "next_tier_gap_amount": above["threshold"] - rating if above else None,
            "is_qualified": qualified,
            "is_near_threshold": above is not None and above["threshold"] - near_band(above) <= rating,
            "is_at_risk": rating < own["threshold"] + near_band(own),
            "stability_band": stability,
            "misses_in_grace": 0,
            "is_partial_month": is_partial,
        }
    return rows


def tier_history(bank: Bank, tiers: dict) -> dict[tuple[str, date, datetime], dict]:
    """Openings, ratings from the month after, exits and returns; equal neighbours are one interval."""
    ladder = active_ladder(bank)
    rows = {}
    for customer, spells in bank.spells.items():
        events: list[tuple[date, str | None, str, datetime]] = []  # day, tier, what happened, when known
        for number, spell in enumerate(spells):
            if spell.starts >= bank.first_month:
                what = "returned" if number else "opened"
                events.append((spell.starts, ladder.rungs[0]["tier_code"], what, spell.start_known))
            for month in bank.months:
                in_force = next_month(month)
                is_rated = (customer, month) in tiers and spell.starts < in_force
                if is_rated and spell.runs_on(in_force) and in_force <= bank.business_date:
                    tier = tiers[customer, month]["tier_code"]
                    events.append((in_force, tier, "rated", bank.ratings_known[month]))
            if spell.ends and spell.ends <= bank.business_date:
                events.append((spell.ends, None, "closed", spell.end_known))
        changes = [event for event, before in zip(events, [None, *events], strict=False)
                   if before is None or before[1] != event[1]]  # fmt: skip
        for position, (day, tier, what, known) in enumerate(changes):
            before = changes[position - 1][1] if position else None
            if what == "opened":
                movement, reason = "opened", "account_opened"
            elif what == "returned":
                movement, reason = "won_back", "returned"
            elif what == "closed":
                movement, reason = "exited", "relationship_closed"
            elif before is None:
                movement, reason = "opened", "history_begins"
            elif ladder.rung(tier)["rank"] > ladder.rung(before)["rank"]:
                movement, reason = "up", "rating_reached_threshold"
            else:
                movement, reason = "down", "rating_below_threshold"
            rows[customer, day, known] = {
                "valid_to": changes[position + 1][0] if position + 1 < len(changes) else OPEN_END,
                "known_to": OPEN_END_AT,
                "tier_code": tier,
                "previous_tier_code": before,
                "movement": movement,
                "reason": reason,
                "policy_version": None if tier is None else ladder.version,
            }
    return rows


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


def customers_dimension(bank: Bank, history: dict) -> dict[tuple[str], dict]:
    in_force = {
        customer: row["tier_code"]
        for (customer, valid_from, _), row in history.items()
        if valid_from <= bank.business_date < row["valid_to"]
    }
    bands = bank.policy("age_bands")
    rows = {}
    for customer, known in bank.customers.items():
        born, today = day_or_none(known["birth_date"]), bank.business_date
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        (band,) = [row for row in bands if int(row["age_from"]) <= age <= int(row["age_to"])]
        text = {
            name: text_or_none(known.get(name))
            for name in ("region_code", "city_tier", "gender", "occupation_code", "industry_code", "risk_rating",
                         "branch_id")
        }  # fmt: skip
        rows[(customer,)] = text | {
            "tier_code": in_force.get(customer),
            "age_band": band["age_band"],
            "onboarded_on": day_or_none(known["onboarded_on"]),
            "closed_on": day_or_none(known.get("closed_on")),
            "primary_rm_id": bank.managers.get(customer),
            "is_founder_generation": band["is_founder_generation"] == "true",
            "is_county": text["city_tier"] and text["city_tier"] == "county",
            "is_sole_proprietor": text["occupation_code"] and text["occupation_code"] == "self_employed",
        }
    return rows


def products_dimension(bank: Bank) -> dict[tuple[str], dict]:
    return {
        (product,): {
            "product_name": row["product_name"],
            "product_family": row["product_family"],
            "risk_level": text_or_none(row.get("risk_level")),
            "currency_code": row["currency_code"],
            "minimum_amount": number_or_none(row.get("minimum_amount")),
            "term_days": number_or_none(row.get("term_days")),
            "launched_on": day_or_none(row.get("launched_on")),
            "fee_rate": number_or_none(row.get("fee_rate")),
            "counts_in_aum": row["counts_in_aum"],
        }
        for product, row in bank.products.items()
    }


def branches_dimension(bank: Bank) -> dict[tuple[str], dict]:
    return {
        (row["branch_id"],): {
            "branch_name": row["branch_name"],
            "region_code": row["region_code"],
            "region_name": row["region_name"],
            "city_tier": text_or_none(row.get("city_tier")),
        }
        for row in bank.branches
    }


def dates_dimension(bank: Bank) -> dict[tuple[date], dict]:
    rows = {}
    for month in bank.months:
        for day in bank.days(month):
            is_open, holiday = (bank.calendar or {}).get(day, (None, None))
            rows[(day,)] = {
                "month": month,
                "calendar_year": day.year,
                "calendar_quarter": (day.month + 2) // 3,
                "is_month_end": day + timedelta(days=1) == next_month(month),
                "is_business_day": is_open,
                "holiday_name": holiday,
            }
    return rows


def policies_dimension(bank: Bank) -> dict[tuple[str, str, str], dict]:
    policies = {(row["policy_id"], row["policy_version"]): row for row in bank.policy("tier_policies")}
    money = {"threshold_amount", "near_band_share", "near_band_max_amount", "volatile_to_amount"}
    whole = {"tier_rank", "grace_months", "up_lag_months"}
    flags = {"is_active", "is_private_banking"}
    rows = {}
    for rung in bank.policy("tier_thresholds"):
        row = policies[rung["policy_id"], rung["policy_version"]] | rung
        key = tuple(row.pop(name) for name in KEYS["dim_tier_policies"])
        rows[key] = {
            name: number_or_none(value) if name in money
            else int(value) if name in whole
            else value == "true" if name in flags
            else day_or_none(value) if name == "effective_from"
            else day_or_none(value) or OPEN_END if name == "effective_to"
            else text_or_none(value)
            for name, value in row.items()
        }  # fmt: skip
    return rows


# --- comparing --------------------------------------------------------------------------------------------------------

KEYS = {
    "dim_customers": ("customer_key",),
    "dim_products": ("product_id",),
    "dim_branches": ("branch_id",),
    "dim_dates": ("calendar_date",),
    "dim_tier_policies": ("policy_id", "policy_version", "tier_code"),
    "fct_customer_aum_monthly": ("customer_key", "month", "product_family"),
    "fct_customer_tiers_monthly": ("customer_key", "month"),
    "fct_customer_tier_history": ("customer_key", "valid_from", "known_from"),
    "fct_customer_contributions": ("customer_key", "month"),
}


@dataclass
class Recomputed:
    """Every mart of a bank by definition, and the same mart as it was published."""

    bank: Bank
    run: object
    marts: dict[str, dict[tuple, dict]]

    def published(self, mart: str) -> dict[tuple, dict]:
        with duckdb.connect(str(self.run.published_file), read_only=True) as connection:
            cursor = connection.execute(f"select * from marts.{mart}")
            names = [column[0] for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        found = {tuple(row.pop(key) for key in KEYS[mart]): row for row in rows}
        assert len(found) == len(rows), f"{mart}: keys are not unique"
        return found

    def expected(self, mart: str) -> dict[tuple, dict]:
        """Rows by definition under the published keys, with the customer's id kept for the message."""
        if "customer_key" not in KEYS[mart]:
            return self.marts[mart]
        key = read_key(self.run.settings)
        tokens = {customer: customer_key_of(key, customer) for customer in self.bank.spells}
        return {(tokens[found[0]], *found[1:]): row for found, row in self.marts[mart].items()}

    def assert_equal(self, mart: str, columns: Iterable[str] | None = None) -> None:
        """Every row on both sides, every column (or the ones named), equal: no tolerance."""
        expected, published = self.expected(mart), self.published(mart)
        assert expected, f"{mart}: nothing was recomputed"
        missing, extra = expected.keys() - published.keys(), published.keys() - expected.keys()
        names = dict(zip(expected, self.marts[mart], strict=True))
        problems = [f"not published: {names[key]} {expected[key]}" for key in sorted(missing, key=repr)]
        problems += [f"not by definition: {key} {published[key]}" for key in sorted(extra, key=repr)]
        for key in expected.keys() & published.keys():
            ours, theirs = expected[key], published[key]
            if columns is None and ours.keys() != theirs.keys():
                problems.append(f"columns differ: {sorted(ours.keys() ^ theirs.keys())}")
                break
            for column in columns or ours:
                if ours[column] != theirs[column]:
                    told = f"by definition {ours[column]}, published {theirs[column]}"
                    problems.append(f"{names[key]} {column}: {told}")
        shown = "\n".join(problems[:20])
        assert not problems, f"{mart}: {len(problems)} differences of {len(expected)} rows\n{shown}"


def recompute(bank: Bank, run: object) -> Recomputed:
    aum = aum_monthly(bank)
    tiers = tiers_monthly(bank, aum)
    history = tier_history(bank, tiers)
    return Recomputed(
        bank,
        run,
        {
            "dim_customers": customers_dimension(bank, history),
            "dim_products": products_dimension(bank),
            "dim_branches": branches_dimension(bank),
            "dim_dates": dates_dimension(bank),
            "dim_tier_policies": policies_dimension(bank),
            "fct_customer_aum_monthly": aum,
            "fct_customer_tiers_monthly": tiers,
            "fct_customer_tier_history": history,
            "fct_customer_contributions": contributions(bank),
        },
    )
