"""Relationship managers, their customers and contacts, and the programmes customers belong to."""

import numpy as np

from crm_warehouse.simulator.business_days import business_days
from crm_warehouse.simulator.population import NEVER, Population
from crm_warehouse.simulator.simulation import Simulation

REGIONS = 8
ROLES = ("primary", "backup", "executive_sponsor")
GRADES = ("junior", "middle", "senior", "expert")
LEAVE_REASONS = ("resigned", "transferred", "retired")
CONTACT_CHANNELS = ("visit", "call", "message", "branch", "event")
PURPOSES = ("mandated", "need", "event", "complaint_follow_up", "executive_visit", "care")
OUTCOMES = ("no_answer", "informed", "need_recorded", "appointment_made", "product_bought", "complaint_resolved")
PROGRAMMES = ("loyalty", "special_treatment", "affinity", "community", "knowledge")

MANAGED_FROM = 160_000  # CNY aimed at; below the 200,000 promised, because assets overshoot their aim within a month


def relation_columns(simulation: Simulation, population: Population) -> dict[str, dict[str, np.ndarray]]:
    """Columns of relationship_managers, rm_assignments, contacts and programmes; days as day numbers."""
    rng = simulation.stream("relations")
    spells = population.spells
    firsts = simulation.months()[0]
    managed = spells.target[:, 1:] >= MANAGED_FROM
    # Before history counts as the first month: those rich then have had their manager for a while.
    since = np.where(managed[:, 0], spells.start, firsts[np.argmax(managed, axis=1)])
    spell = np.flatnonzero(managed.any(axis=1) & (np.maximum(since, spells.start) < spells.end))
    since = np.maximum(since, spells.start)[spell]
    managers = _draw_managers(simulation, rng, spell.size)
    assignments = _assign(rng, population, spell, since, managers)
    return {
        "relationship_managers": managers,
        "rm_assignments": assignments,
        "contacts": _draw_contacts(simulation, rng, assignments),
        "programmes": _draw_programmes(simulation, rng, population),
    }


def _draw_managers(simulation: Simulation, rng: np.random.Generator, customers: int) -> dict[str, np.ndarray]:
    """At least three a region, one per some fifty customers; one in eight leaves within the window."""
    n = REGIONS * max(3, -(-customers // (50 * REGIONS)))
    # Manager i works in region i % 8, so a successor in the same region is 8 rows on.
    branch = (np.arange(n) % REGIONS) * 5 + rng.integers(0, 5, n)
    left = np.full(n, NEVER)
    leavers = rng.permutation(n)[: max(3, n // 8)]
    left[leavers] = np.linspace(0.25 * simulation.days, simulation.days - 15, leavers.size).astype(int)
    return {
        "branch": branch, "grade": rng.integers(0, 4, n), "hired": -rng.integers(100, 4000, n), "left": left,
        "reason": np.where(left < NEVER, rng.choice(3, n, p=(0.6, 0.25, 0.15)), -1),
        "is_mechanical": rng.random(n) < 0.25,
    }  # fmt: skip


def _assign(rng, population: Population, spell: np.ndarray, since: np.ndarray, managers: dict) -> dict[str, np.ndarray]:
    """One primary manager at a time; after a departure the successor comes up to three weeks later."""
    spells, n = population.spells, managers["left"].size
    customer, end = spells.customer[spell], spells.end[spell]
    region = population.branch[customer] // 5
    per_region = n // REGIONS
    manager = region + REGIONS * rng.integers(0, per_region, spell.size)
    backup, chief = (manager + REGIONS) % n, region + REGIONS * (per_region - 1)
    since = np.maximum(since, managers["hired"][manager])
    parts = []
    for _ in range(per_region + 1):  # hand over again when the successor has left, too
        left = managers["left"][manager]
        until = np.minimum(end, left)
        kept = since < until
        parts.append((customer[kept], manager[kept], np.zeros(kept.sum(), int), since[kept], until[kept]))
        moves = left < end
        handover = np.maximum(left + rng.integers(0, 21, left.size), since)[moves]
        customer, end, since = customer[moves], end[moves], handover
        manager = (manager[moves] + REGIONS) % n
    backed = rng.random(spell.size) < np.where(spells.wealth[spell] >= 2_000_000, 0.8, 0.3)
    sponsored = spells.wealth[spell] >= 5_000_000
    for role, rows, who in ((1, backed, backup), (2, sponsored, chief)):
        start = np.maximum(spells.start[spell] + 30, managers["hired"][who])[rows]
        until = np.minimum(spells.end[spell], managers["left"][who])[rows]
        kept = start < until
        whose = spells.customer[spell][rows][kept]
        parts.append((whose, who[rows][kept], np.full(whose.size, role), start[kept], until[kept]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[3], columns[2], columns[0]))
    assignments = dict(zip(("customer", "manager", "role", "from", "to"), (c[order] for c in columns), strict=True))
    return assignments | {"is_mechanical": managers["is_mechanical"][assignments["manager"]]}


def _draw_contacts(simulation: Simulation, rng: np.random.Generator, assignments: dict) -> dict[str, np.ndarray]:
    """None to three contacts per managed customer and month, by the primary manager, on business days."""
    open_days = simulation.day_numbers(business_days(simulation.history_from, simulation.last_business_date))
    row, day = [], []
    for first, last in zip(*simulation.months(), strict=True):
        days = open_days[(open_days >= first) & (open_days <= last)]
        times = np.where(assignments["role"] == 0, np.minimum(rng.poisson(1.1, assignments["role"].size), 3), 0)
        row.append(np.repeat(np.arange(times.size), times))
        day.append(days[rng.integers(0, days.size, times.sum())])
    row, day = np.concatenate(row), np.concatenate(day)
    kept = (assignments["from"][row] <= day) & (day < assignments["to"][row])
    row, day = row[kept], day[kept]
    second = day * 86_400 + rng.integers(9 * 3600, 18 * 3600, row.size)
    mechanical = assignments["is_mechanical"][row]
    purpose = np.where(mechanical, rng.choice(6, row.size, p=(0.7, 0.05, 0.1, 0, 0, 0.15)),
                       rng.choice(6, row.size, p=(0.2, 0.35, 0.12, 0.04, 0.02, 0.27)))  # fmt: skip
    channel = rng.choice(5, row.size, p=(0.12, 0.36, 0.36, 0.12, 0.04))
    minutes = np.maximum((np.array([45, 8, 0, 25, 90])[channel] * rng.lognormal(0, 0.4, row.size)).round(), 1)
    outcome = np.where(mechanical, rng.choice(6, row.size, p=(0.35, 0.6, 0.02, 0.02, 0.01, 0)),
                       rng.choice(6, row.size, p=(0.15, 0.35, 0.2, 0.15, 0.13, 0.02)))  # fmt: skip
    outcome = np.where(rng.random(row.size) < 0.1, -1, outcome)
    # Those who tick boxes paste one of five notes; the others write their own.
    pasted, written = rng.integers(0, 5, row.size), rng.integers(10**6, 10**9, row.size)
    note = np.where(mechanical, assignments["manager"][row] * 5 + pasted, written)
    order = np.lexsort((row, second))
    columns = {
        "customer": assignments["customer"][row], "manager": assignments["manager"][row], "second": second, "day": day,
        "channel": channel, "purpose": purpose, "minutes": np.where(channel == 2, -1, minutes), "outcome": outcome,
        "note": np.where(rng.random(row.size) < 0.05, -1, note),
    }  # fmt: skip
    return {name: column[order] for name, column in columns.items()}


def _draw_programmes(simulation: Simulation, rng: np.random.Generator, population: Population) -> dict[str, np.ndarray]:
    """Memberships of the richer: cost in fen per month of membership, units used a month."""
    spells = population.spells
    rich = spells.wealth[:, None] >= np.array([200_000, 500_000, 500_000, 2_000_000, 200_000])
    joins = rich & (rng.random(rich.shape) < (0.7, 0.5, 0.2, 0.4, 0.25))
    spell, programme = np.nonzero(joins)
    joined = np.maximum(spells.start[spell], -400) + rng.integers(0, 500, spell.size)
    left = np.where(rng.random(spell.size) < 0.1, joined + rng.integers(60, 300, spell.size), NEVER)
    left = np.minimum(left, spells.end[spell])
    cost = np.array([20, 180, 60, 120, 40])[programme] * rng.lognormal(0, 0.3, spell.size)
    kept = joined < np.minimum(left, simulation.days)
    return {
        "customer": spells.customer[spell][kept], "programme": programme[kept], "joined": joined[kept],
        "left": left[kept], "entitled": np.array([12, 24, 6, 6, 10])[programme][kept],
        "pace": rng.uniform(0, 1.5, spell.size).round(3)[kept],
        "cost": (cost * 100).round().astype(np.int64)[kept],
    }  # fmt: skip


def holder_columns(simulation: Simulation, population: Population, account_spell: np.ndarray) -> dict[str, np.ndarray]:
    """Owners of every account by account, and for 6 % of accounts a joint holder with half of it."""
    rng = simulation.stream("holders")
    spells, n = population.spells, account_spell.size
    # A joint holder has been here all along, so that every delivery knows both.
    steady = np.flatnonzero((spells.start < 0) & (spells.end == NEVER))
    owner = spells.customer[account_spell]
    partner = spells.customer[steady[rng.integers(0, steady.size, n)]]
    joint = np.flatnonzero((rng.random(n) < 0.06) & (partner != owner))
    share = np.full(n, 1.0)
    share[joint] = 0.5
    columns = {
        "account": np.append(np.arange(n), joint), "customer": np.append(owner, partner[joint]),
        "is_joint": np.arange(n + joint.size) >= n, "share": np.append(share, share[joint]),
    }  # fmt: skip
    order = np.lexsort((columns["is_joint"], columns["account"]))
    return {name: column[order] for name, column in columns.items()}
