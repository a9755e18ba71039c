"""Who belongs to whom: households, owners of firms, people who are customers twice, and who brought whom."""

import numpy as np

from crm_warehouse.simulator.catalogue import branch_columns
from crm_warehouse.simulator.names import FIRM_TRADES, FIRM_WORDS
from crm_warehouse.simulator.population import OCCUPATIONS, Population
from crm_warehouse.simulator.simulation import NEVER, Block, padded

LINK_TYPES = ("same_person", "household", "owner_of_firm", "referred_by")

CREDIT_CODE_DIGITS = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))  # GB 32100
CREDIT_CODE_WEIGHTS = np.array([1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28])
ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])  # GB 11714


def link_people(block: Block, population: Population) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict]:
    """Links (customer, linked, type, confidence, from), firms, and the customer columns with double records alike.

    A link is there from the day both sides are. The link of an owner points to the firm of the same number.
    """
    rng, n = block.stream("links"), block.size
    spells, traits, columns = population.spells, population.traits, population.customers
    start = spells.start[:n]
    order = np.lexsort((rng.random(n), population.branch))
    first, second = order[:-1:2], order[1::2]
    lives_together = (population.branch[first] == population.branch[second]) & (rng.random(first.size) < 0.3)
    first, second = first[lives_together], second[lives_together]

    # A second record, opened with a passport, of somebody who is a customer already.
    poor = np.flatnonzero(population.spells.wealth[:n] < 9_000)
    doubles = rng.permutation(poor)[: max(1, round(0.003 * n))]
    originals = rng.permutation(np.setdiff1d(np.arange(n), doubles))[: doubles.size]
    alike = {name: columns[name].copy() for name in ("customer_name", "gender", "birth_date", "mobile", "email")}
    for values in alike.values():
        values[doubles] = values[originals]
    passports = np.char.add("E", padded(70_000_000 + block.first + doubles, 8))
    alike |= {"id_type": columns["id_type"].copy(), "id_number": columns["id_number"].copy()}
    alike["id_type"][doubles], alike["id_number"][doubles] = "passport", passports

    joiners = np.flatnonzero((start >= 0) & (rng.random(n) < 0.25))
    established = np.flatnonzero(start < -30)
    referrers = established[rng.integers(0, established.size, joiners.size)]
    owners = np.isin(columns["occupation_code"], [OCCUPATIONS[1], OCCUPATIONS[2]])
    owner = np.flatnonzero(owners & (rng.random(n) < np.where(traits.is_founder, 0.6, 0.2)))

    parts = [
        (doubles, originals, 0, 0.97), (first, second, 1, 0.85), (owner, owner, 2, 1.0), (joiners, referrers, 3, 1.0)
    ]  # fmt: skip
    customer, linked, kind, confidence = (
        np.concatenate([np.broadcast_to(part[i], part[0].shape) for part in parts]) for i in range(4)
    )
    links = {
        "customer": customer, "linked": linked, "type": kind, "confidence": confidence,
        "from": np.maximum(start[customer], start[linked]), "to": np.full(customer.size, NEVER),
    }  # fmt: skip
    return links, _firms(block, population, owner, rng), alike


def _firms(block: Block, population: Population, owner: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Corporate customers: they are known here, their accounts are kept elsewhere."""
    branches, n = branch_columns(), owner.size
    city = np.array([name.removesuffix("支行") for name in branches["branch_name"]], dtype=object)
    words = np.array(FIRM_WORDS, dtype=object)
    trade = np.array(FIRM_TRADES, dtype=object)
    branch = population.branch[owner]
    name = city[branch] + words[rng.integers(0, words.size, n)] + words[rng.integers(0, words.size, n)]
    return {
        "owner": owner, "customer_name": name + trade[rng.integers(0, trade.size, n)] + "有限公司",
        "id_number": _credit_codes(block.first + owner, branches["region_code"][branch]),
        "branch": branch, "onboarded": np.maximum(population.spells.start[owner], -4000),
        "region_code": branches["region_code"][branch], "city_tier": branches["city_tier"][branch],
    }  # fmt: skip


def _credit_codes(number: np.ndarray, region_code: np.ndarray) -> np.ndarray:
    """Unified social credit codes: true format and checksums, but city 99 of each province, which does not exist."""
    body = padded(number, 8)
    digits = np.array(body, dtype="U8").view("U1").reshape(-1, 8).astype(np.int64)
    check = np.array(list("0X987654321"))[digits @ ORGANISATION_WEIGHTS % 11]
    code = np.char.add(np.char.add("91", np.char.add(region_code.astype("U2"), "9900")), np.char.add(body, check))
    value = np.searchsorted(CREDIT_CODE_DIGITS, np.array(code, dtype="U17").view("U1").reshape(-1, 17))
    return np.char.add(code, CREDIT_CODE_DIGITS[-(value @ CREDIT_CODE_WEIGHTS) % 31]).astype(object)
