"""Who the customers are, when they came and left, and what they want to hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crm_warehouse.simulator.catalogue import HELD, TERM, branch_columns
from crm_warehouse.simulator.market import Market
from crm_warehouse.simulator.names import FEMALE_GIVEN, MALE_GIVEN, RARE_GIVEN, STREETS, SURNAMES
from crm_warehouse.simulator.simulation import NEVER, Block, padded
from crm_warehouse.simulator.wealth import draw_paths, wealth_of_customers

OCCUPATIONS = ("employee", "self_employed", "business_owner", "civil_servant", "professional", "farmer", "retired",
               "student")  # fmt: skip
OCCUPATION_SHARES = (0.36, 0.16, 0.06, 0.08, 0.10, 0.08, 0.12, 0.04)

ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])  # GB 11643
ID_CHECKS = np.array(list("10X98765432"))

# Probability of wanting a product, and its relative weight, by band of wealth: columns demand, TERM, HELD.
WISH_BANDS = (5_000, 50_000, 200_000, 500_000, 2_000_000)
WISH = np.array([
    [1, .00, .00, .00, .00, .00, .02, .00, .05, .00, .00, .00, .00, .00, .00],
    [1, .15, .22, .10, .03, .00, .15, .00, .20, .06, .02, .03, .00, .03, .01],
    [1, .20, .35, .25, .10, .00, .40, .10, .25, .15, .10, .10, .00, .06, .05],
    [1, .20, .40, .35, .20, .10, .55, .25, .30, .25, .25, .20, .00, .12, .12],
    [1, .20, .40, .40, .30, .35, .70, .45, .35, .35, .40, .30, .05, .18, .25],
    [1, .15, .30, .35, .35, .50, .80, .60, .40, .50, .50, .30, .55, .25, .45],
])  # fmt: skip
WISH_WEIGHT = np.array([1.2, 1, 2, 2.5, 1.5, 2.5, 3, 2, 1, 1.2, 1.5, 1.2, 2.5, .5, 2.0])  # fmt: skip


@dataclass(frozen=True)
class Spells:
    """One row per relationship from onboarding to closing; who comes back has two. Days are day numbers."""

    customer: np.ndarray  # row of the customer
    start: np.ndarray  # onboarding day, negative before history
    end: np.ndarray  # closing day, NEVER if open
    wealth: np.ndarray  # AUM in CNY at the end of the initial history
    target: np.ndarray  # spells x (months + 1): AUM in CNY aimed at for month ends; column 0 is before history
    weights: np.ndarray  # spells x (1 + TERM + HELD): portfolio shares, each row sums to 1
    is_payroll: np.ndarray
    is_dormant: np.ndarray
    is_window_dresser: np.ndarray
    usd_share: np.ndarray  # part of AUM on a USD account, 0 for most


@dataclass(frozen=True)
class Traits:
    """What a customer is like, by customer: the causes behind what the bank sees. branch_quality is by branch."""

    age: np.ndarray  # years, when history begins
    is_founder: np.ndarray  # first-generation entrepreneur of 45 to 65
    risk_appetite: np.ndarray  # 0 to 1
    elsewhere_ratio: np.ndarray  # wealth at other institutions, relative to what is here
    branch_quality: np.ndarray


@dataclass(frozen=True)
class Population:
    customers: dict[str, np.ndarray]  # columns of the extract that do not change, and second values with their day
    branch: np.ndarray  # branch number by customer
    traits: Traits
    spells: Spells  # target is not known yet
    base_path: np.ndarray  # log of assets relative to wealth: what customers save and spend on their own
    growth: np.ndarray  # what their markets make of it; 1 at the end of the initial history


def draw_population(block: Block, market: Market) -> Population:
    """Customers of one block, their spells, and what they would do if nothing happened to them."""
    n = block.size
    wealth = block.simulation.stream("wealth").permutation(wealth_of_customers(block.simulation.customers))
    wealth = wealth[block.first : block.first + n].round(2)
    traits, branch, occupation = _draw_traits(block, wealth)
    spells = _draw_spells(block, wealth, traits)
    first_start = np.full(n, NEVER)
    np.minimum.at(first_start, spells.customer, spells.start)
    columns = _draw_customers(block, wealth, first_start, traits, branch, occupation)
    return Population(
        columns, branch, traits, spells, draw_paths(block, spells.wealth), _market_growth(block, spells, market)
    )


def _draw_traits(block: Block, wealth: np.ndarray) -> tuple[Traits, np.ndarray, np.ndarray]:
    """Traits, branch and occupation. Most of the rich are founders in counties: 45 to 65, cautious, self-made."""
    n = block.size
    rng = block.stream("traits")
    city_tier = branch_columns()["city_tier"]
    county = np.flatnonzero(city_tier == "county")
    is_founder = rng.random(n) < np.select([wealth >= 2_000_000, wealth >= 200_000], [0.55, 0.15], 0.01)
    age = np.clip(np.where(wealth > 200_000, rng.normal(52, 10, n), rng.normal(42, 14, n)), 18.2, 90)
    age = np.where(is_founder, rng.uniform(45, 64, n), age)
    in_county = is_founder & (rng.random(n) < 0.7)
    branch = np.where(in_county, county[rng.integers(0, county.size, n)], rng.integers(0, city_tier.size, n))
    occupation = rng.choice(len(OCCUPATIONS), n, p=OCCUPATION_SHARES)
    occupation = np.where(age >= 61, OCCUPATIONS.index("retired"), occupation)
    owner = np.where(rng.random(n) < 0.5, OCCUPATIONS.index("self_employed"), OCCUPATIONS.index("business_owner"))
    occupation = np.where(is_founder, owner, occupation)
    appetite = rng.beta(2.5, 3, n) - 0.004 * (age - 45) - 0.15 * is_founder
    # The richer bank in more places: half of their wealth is elsewhere, and more.
    share = np.clip(rng.beta(4, np.select([wealth >= 2_000_000, wealth >= 50_000], [5.0, 4.0], 2.5), n), 0.05, 0.98)
    quality = block.simulation.stream("managers", 1).normal(0, 0.06, city_tier.size)
    traits = Traits(age, is_founder, np.clip(appetite, 0, 1), 1 / share - 1, np.clip(quality, -0.15, 0.15))
    return traits, branch, occupation


def _draw_spells(block: Block, wealth: np.ndarray, traits: Traits) -> Spells:
    n, simulation = block.size, block.simulation
    rng = block.stream("spells")
    # People join and leave on business days, clear of month ends so that each touched month has days on both sides.
    open_days = simulation.open_days()
    month_day = simulation.dates(open_days) - simulation.dates(open_days).astype("datetime64[M]")
    open_days = open_days[(month_day >= np.timedelta64(3, "D")) & (month_day <= np.timedelta64(24, "D"))]

    def spread(earliest: int, size: int) -> np.ndarray:
        """Days evenly over the window from earliest on, its last one included."""
        first = np.searchsorted(open_days, earliest)
        return open_days[np.linspace(first, open_days.size - 1, size).round().astype(int)]

    joiners, rest = np.split(rng.permutation(n), [max(6, round(0.06 * n))])
    # The few richest stay: one of them leaving would undo the concentration of a small bank.
    leavers = rest[wealth[rest] < 4_000_000][: max(8, round(0.012 * n))]
    returners = leavers[: max(2, round(0.002 * n))]
    start = -rng.integers(30, 4000, n)
    start[joiners] = spread(0, joiners.size)
    end = np.full(n, NEVER)
    end[leavers] = spread(25, leavers.size)
    back = open_days[np.searchsorted(open_days, np.linspace(end[returners[0]] + 70, open_days[-1], returners.size))]

    customer = np.append(np.arange(n), returners)
    start, end = np.append(start, back), np.append(end, np.full(returners.size, NEVER))
    wealth = np.append(wealth, wealth[returners])
    is_usd = rng.random(n)[customer] < np.select([wealth >= 50_000, wealth >= 2_000], [0.25, 0.08], 0.0)
    income_seen = rng.random(wealth.size)
    dormant = (wealth < 2_000) & (rng.random(wealth.size) < 0.3)
    return Spells(
        customer=customer, start=start, end=end, wealth=wealth, target=np.empty((0, 0)),
        weights=_draw_portfolios(block, wealth, traits.risk_appetite[customer]),
        is_payroll=(income_seen < 0.45) & ~dormant & (traits.age[customer] < 60),
        is_dormant=dormant,
        is_window_dresser=(wealth > 30_000) & (rng.random(wealth.size) < 0.10),
        usd_share=np.where(is_usd, rng.uniform(0.03, 0.15, wealth.size), 0.0),
    )  # fmt: skip


def _market_growth(block: Block, spells: Spells, market: Market) -> np.ndarray:
    """What is held moves with its market, so the aim does too: net new money is what the path adds."""
    simulation = block.simulation
    held_weights = spells.weights[:, 1 + len(TERM) :]
    columns = np.append(0, simulation.months()[1] + 1)
    anchor = simulation.day_numbers(simulation.initial_delivery_on) + 1
    moved = market.price[:, columns] / market.price[:, anchor, None] - 1
    return 1 + np.einsum("sp,pm->sm", held_weights, moved)  # not @: linear algebra libraries differ in the last bit


def _draw_portfolios(block: Block, wealth: np.ndarray, appetite: np.ndarray) -> np.ndarray:
    """Portfolio shares. The cautious seldom want what is risky, the bold more often."""
    rng = block.stream("portfolios")
    is_risky = np.array([p is not None and p.risk in ("R3", "R4", "R5") for p in (None, *TERM, *HELD)])
    boldness = np.where(is_risky, 0.4 + 1.5 * appetite[:, None], 1.0)
    wish = WISH[np.searchsorted(WISH_BANDS, wealth, side="right")] * boldness
    weights = np.where(rng.random(wish.shape) < wish, WISH_WEIGHT * rng.gamma(2.0, 0.5, wish.shape), 0.0)
    weights[:, 0] = np.maximum(weights[:, 0], 0.15)
    minimum = np.array([0] + [p.minimum or 0 for p in (*TERM, *HELD)])
    for _ in range(2):  # dropping what is too small enlarges the rest, which may pass once more
        weights /= weights.sum(axis=1, keepdims=True)
        weights = np.where(weights * wealth[:, None] >= 1.2 * minimum, weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)


def _draw_customers(
    block: Block, wealth: np.ndarray, start: np.ndarray, traits: Traits, branch: np.ndarray, occupation: np.ndarray
) -> dict[str, np.ndarray]:
    """Attributes as the core system has them: gaps, changes of mobile and rating included."""
    n, simulation = block.size, block.simulation
    rng = block.stream("customers")
    number = block.first + np.arange(n)

    def pick(values: Sequence[str], p: Sequence[float] | None = None) -> np.ndarray:
        return np.array(values, dtype=object)[rng.choice(len(values), n, p=p)]

    def maybe(values: np.ndarray, missing: float) -> np.ndarray:
        return np.where(rng.random(n) < missing, None, values)

    branches = branch_columns()
    is_male = rng.random(n) < 0.49
    # Nobody was under 18 when they joined.
    birth = simulation.dates(-np.maximum(traits.age * 365.25, 6_640 - start).astype(np.int64))
    given = np.where(is_male, pick(MALE_GIVEN), pick(FEMALE_GIVEN))
    second = np.where(rng.random(n) < 0.65, np.where(is_male, pick(MALE_GIVEN), pick(FEMALE_GIVEN)), "")
    second = np.where(number % 97 == 13, pick(RARE_GIVEN), second)
    is_passport = rng.random(n) < 0.01
    numbers = _id_numbers(block, branches["region_code"][branch], birth, is_male)
    passports = np.char.add("E", padded(70_000_000 + number, 8)).astype(object)
    # 154 is a number range no operator has, and example.com is reserved: nobody real is ever reached.
    # Stepping by a number prime to 10**8 gives each number once.
    mobiles = [np.char.add("154", padded((2 * number + k) * 61_803_399 % 10**8, 8)) for k in (0, 1)]
    changes = np.where(rng.random(n) < 0.01, rng.integers(simulation.days - 29, simulation.days, n), NEVER)
    changes[0] = simulation.days - 15
    risk = np.clip(np.floor(traits.risk_appetite * 5 + rng.normal(0, 0.5, n)) + 1, 1, 5).astype(np.int64)
    rated_until = rng.integers(-60, simulation.days + 330, n)
    is_declared = rng.random(n) < np.where(wealth > 50_000, 0.35, 0.08)
    house = rng.integers(1, 999, n).astype(str)
    consented = (start - np.minimum(start, 0) * rng.random(n)).astype(np.int64)  # between onboarding and history
    city = np.array([branch_name.removesuffix("支行") for branch_name in branches["branch_name"]], dtype=object)
    street = pick(STREETS) + house.astype(object) + "号"
    inboxes = pick(("lan", "yu", "chen", "mei", "hao", "wei")) + number.astype(str).astype(object) + "@example.com"
    return {
        "customer_name": pick(SURNAMES) + given + second,
        "id_type": np.where(is_passport, "passport", "resident_id"),
        "id_number": np.where(is_passport, passports, numbers),
        "gender": np.where(is_male, "male", "female"),
        "birth_date": birth,
        "mobile": mobiles[0],
        "mobile_later": mobiles[1],
        "email": maybe(inboxes, 0.45),
        "address": branches["region_name"][branch] + city[branch] + street,
        "region_code": branches["region_code"][branch],
        "city_tier": branches["city_tier"][branch],
        "industry_code": maybe(pick(tuple("CEFGHIJKOPQS")), 0.08),
        "occupation_code": maybe(np.array(OCCUPATIONS, dtype=object)[occupation], 0.05),
        "education": maybe(pick(("junior", "senior", "college", "bachelor", "master")), 0.10),
        "marital_status": maybe(pick(("single", "married", "divorced", "widowed"), (0.25, 0.65, 0.07, 0.03)), 0.10),
        "risk": np.where(rng.random(n) < 0.06, 0, risk),
        "rated_until": rated_until,
        "declared_wealth_amount": np.where(
            is_declared, (wealth * (1 + traits.elsewhere_ratio) * rng.lognormal(0, 0.3, n)).round(-2), np.nan
        ),
        "consent_marketing": rng.random(n) < 0.62,
        "consented": consented * 86_400 + rng.integers(0, 86_400, n),
        "changes": changes,
    }


def _id_numbers(block: Block, region_code: np.ndarray, birth: np.ndarray, is_male: np.ndarray) -> np.ndarray:
    """Resident id numbers: true format and checksum, but city 99 of each province, which does not exist."""
    area = region_code.astype("U2")
    born = np.char.replace(birth.astype(str), "-", "")
    group = np.char.add(np.char.add(area, born), np.where(is_male, "1", "2"))
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    is_first = np.append(True, ordered[1:] != ordered[:-1])
    rank = np.empty(group.size, dtype=np.int64)
    positions = np.arange(group.size)
    rank[order] = positions - np.maximum.accumulate(np.where(is_first, positions, 0))
    rank += 20 * block.number  # no two blocks share a number; within one, fewer than 20 share area, birth date and sex
    # Odd sequence numbers are male; the last two area digits carry what does not fit the sequence.
    sequence = 2 * (rank % 400) + 101 + (~is_male).astype(int)
    district = padded(1 + rank // 400, 2)
    body = np.char.add(np.char.add(np.char.add(area, np.char.add("99", district)), born), sequence.astype(str))
    digits = np.array(body, dtype="U17").view("U1").reshape(-1, 17).astype(np.int64)
    return np.char.add(body, ID_CHECKS[(digits @ ID_WEIGHTS) % 11]).astype(object)
