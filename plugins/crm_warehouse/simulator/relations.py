"""Who looks after whom: managers' books and contacts, joint holders, and the programmes customers belong to."""

import numpy as np

from crm_warehouse.simulator.journal import DAY, HOUR
from crm_warehouse.simulator.lives import MANAGED_FROM, Lives
from crm_warehouse.simulator.managers import Managers
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import NEVER, Block

ROLES = ("primary", "backup", "executive_sponsor")
CONTACT_CHANNELS = ("visit", "call", "message", "branch", "event")
PURPOSES = ("mandated", "need", "event", "complaint_follow_up", "executive_visit", "care")
OUTCOMES = ("no_answer", "informed", "need_recorded", "appointment_made", "product_bought", "complaint_resolved")
PROGRAMMES = ("loyalty", "special_treatment", "affinity", "community", "knowledge")


def assignment_columns(block: Block, lives: Lives, managers: Managers) -> dict[str, np.ndarray]:
    """One primary manager at a time; after a departure the successor comes up to three weeks later."""
    rng, spells = block.stream("managers"), lives.spells
    firsts = block.simulation.months()[0]
    managed = spells.target[:, 1:] >= MANAGED_FROM
    # Before history counts as the first month: those rich then have had their manager for a while.
    since = np.where(managed[:, 0], spells.start, firsts[np.argmax(managed, axis=1)])
    spell = np.flatnonzero(managed.any(axis=1) & (np.maximum(since, spells.start) < spells.end))
    first_manager = lives.own_manager[spell]
    parts = _primary_parts(rng, spells, managers, spell, np.maximum(since, spells.start)[spell], first_manager)
    chief = first_manager % 8 + 8 * (managers.per_region - 1)
    backed = rng.random(spell.size) < np.where(spells.wealth[spell] >= 2_000_000, 0.8, 0.3)
    sponsored = spells.wealth[spell] >= 5_000_000
    for role, rows, who in ((1, backed, managers.successor(first_manager)), (2, sponsored, chief)):
        start = np.maximum(spells.start[spell] + 30, managers.hired[who])[rows]
        until = np.minimum(spells.end[spell], managers.left[who])[rows]
        kept = start < until
        parts.append((spell[rows][kept], who[rows][kept], np.full(kept.sum(), role), start[kept], until[kept]))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[3], columns[2], columns[0]))
    assignments = dict(zip(("spell", "manager", "role", "from", "to"), (c[order] for c in columns), strict=True))
    return assignments | {"customer": spells.customer[assignments["spell"]]}


def _primary_parts(rng, spells: Spells, managers: Managers, spell, since, manager) -> list[tuple]:
    end, since = spells.end[spell], np.maximum(since, managers.hired[manager])
    parts = []
    for _ in range(managers.per_region + 1):  # hand over again when the successor has left, too
        left = managers.left[manager]
        until = np.minimum(end, left)
        kept = since < until
        parts.append((spell[kept], manager[kept], np.zeros(kept.sum(), int), since[kept], until[kept]))
        moves = left < end
        handover = np.maximum(left + rng.integers(0, 21, left.size), since)[moves]
        spell, end, since, manager = spell[moves], end[moves], handover, managers.successor(manager[moves])
    return parts


def contact_columns(block: Block, lives: Lives, managers: Managers, assignments: dict) -> dict[str, np.ndarray]:
    """The contacts of each month, on its business days, by whoever is in charge on the day; by time."""
    rng, simulation = block.stream("contacts"), block.simulation
    spell, month, is_executive = (lives.contacts[name] for name in ("spell", "month", "is_executive"))
    open_days, (firsts, lasts) = simulation.open_days(), simulation.months()
    low, high = np.searchsorted(open_days, firsts), np.searchsorted(open_days, lasts, side="right")
    day = open_days[low[month] + np.floor(rng.random(month.size) * (high - low)[month]).astype(np.int64)]
    rows = np.flatnonzero(assignments["role"] == 0)
    key = assignments["spell"][rows] * (2 * NEVER) + assignments["from"][rows]
    found = np.searchsorted(key, spell * (2 * NEVER) + day, side="right") - 1
    row = rows[np.maximum(found, 0)]
    kept = (found >= 0) & (assignments["spell"][row] == spell) & (day < assignments["to"][row])
    spell, day, is_executive, manager = spell[kept], day[kept], is_executive[kept], assignments["manager"][row][kept]
    n = spell.size
    second = day * DAY + rng.integers(9 * HOUR, 18 * HOUR, n)
    mechanical = managers.is_mechanical[manager]
    purpose = np.where(mechanical, rng.choice(6, n, p=(0.7, 0.05, 0.1, 0, 0, 0.15)),
                       rng.choice(6, n, p=(0.22, 0.35, 0.12, 0.04, 0, 0.27)))  # fmt: skip
    purpose = np.where(is_executive, PURPOSES.index("executive_visit"), purpose)
    channel = np.where(is_executive, 0, rng.choice(5, n, p=(0.12, 0.36, 0.36, 0.12, 0.04)))
    minutes = np.maximum((np.array([45, 8, 0, 25, 90])[channel] * rng.lognormal(0, 0.4, n)).round(), 1)
    outcome = np.where(mechanical, rng.choice(6, n, p=(0.35, 0.6, 0.02, 0.02, 0.01, 0)),
                       rng.choice(6, n, p=(0.15, 0.35, 0.2, 0.15, 0.13, 0.02)))  # fmt: skip
    outcome = np.where(rng.random(n) < 0.1, -1, outcome)
    # An executive visit is paid by the head of the region's managers.
    chief = manager % 8 + 8 * (managers.per_region - 1)
    manager = np.where(is_executive & (managers.left[chief] > day), chief, manager)
    # Those who tick boxes paste one of five notes; the others write their own.
    pasted, written = rng.integers(0, 5, n), rng.integers(10**6, 10**9, n)
    note = np.where(mechanical, manager * 5 + pasted, written)
    columns = {
        "customer": lives.spells.customer[spell], "manager": manager, "second": second, "day": day,
        "channel": channel, "purpose": purpose, "minutes": np.where(channel == 2, -1, minutes), "outcome": outcome,
        "note": np.where(rng.random(n) < 0.05, -1, note),
    }  # fmt: skip
    order = np.lexsort((spell, second))
    return {name: column[order] for name, column in columns.items()}


def programme_columns(block: Block, spells: Spells) -> dict[str, np.ndarray]:
    """Memberships of the richer: cost in fen per month of membership, units used a month."""
    rng = block.stream("programmes")
    rich = spells.wealth[:, None] >= np.array([200_000, 500_000, 500_000, 2_000_000, 200_000])
    joins = rich & (rng.random(rich.shape) < (0.7, 0.5, 0.2, 0.4, 0.25))
    spell, programme = np.nonzero(joins)
    joined = np.maximum(spells.start[spell], -400) + rng.integers(0, 500, spell.size)
    left = np.where(rng.random(spell.size) < 0.1, joined + rng.integers(60, 300, spell.size), NEVER)
    left = np.minimum(left, spells.end[spell])
    cost = np.array([20, 180, 60, 120, 40])[programme] * rng.lognormal(0, 0.3, spell.size)
    kept = joined < np.minimum(left, block.simulation.days)
    return {
        "customer": spells.customer[spell][kept], "programme": programme[kept], "joined": joined[kept],
        "left": left[kept], "entitled": np.array([12, 24, 6, 6, 10])[programme][kept],
        "pace": rng.uniform(0, 1.5, spell.size).round(3)[kept],
        "cost": (cost * 100).round().astype(np.int64)[kept],
    }  # fmt: skip


def holder_columns(block: Block, spells: Spells, account_spell: np.ndarray) -> dict[str, np.ndarray]:
    """Owners of every account by account, and for 6 % of accounts a joint holder with half of it."""
    rng, n = block.stream("holders"), account_spell.size
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
