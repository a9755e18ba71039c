"""People who might become customers, and those who did."""

import numpy as np

from crm_warehouse.simulator.journal import DAY, HOUR, HOURS
from crm_warehouse.simulator.population import Spells
from crm_warehouse.simulator.simulation import Block

SOURCES = ("referral", "branch", "web", "event", "partner")
COSTS = np.array([60, 20, 180, 320, 150])  # CNY to win one, before it is known whether it comes
LOST_AFTER = 90  # days without becoming a customer


def prospect_columns(block: Block, spells: Spells) -> dict[str, np.ndarray]:
    """One row per prospect: seconds of creation and first contact, days of conversion or loss (-1 never).

    Almost half of those who join came as prospects; for each of them two others did not come.
    """
    rng, days = block.stream("prospects"), block.simulation.days
    joined = np.flatnonzero((spells.start[: block.size] >= 70) & (rng.random(block.size) < 0.45))
    others = 2 * joined.size + 4
    customer = np.append(joined, np.full(others, -1))
    n = customer.size
    wait = rng.integers(3, 60, n)
    created = np.where(customer >= 0, spells.start[customer] - wait, rng.integers(0, days, n))
    contacted = created + np.minimum(rng.integers(0, 10, n), wait - 1)
    source = rng.choice(len(SOURCES), n, p=(0.25, 0.2, 0.25, 0.1, 0.2))
    order = np.argsort(created, kind="stable")
    columns = {
        "customer": customer, "created": created * DAY + rng.choice(24, n, p=HOURS) * HOUR + rng.integers(0, HOUR, n),
        "contacted": contacted, "converted": np.where(customer >= 0, spells.start[customer], -1),
        "lost": np.where(customer >= 0, -1, created + LOST_AFTER), "source": source, "consent": rng.random(n) < 0.7,
        "cost": (COSTS[source] * rng.lognormal(0, 0.3, n) * 100).round().astype(np.int64),
    }  # fmt: skip
    return {name: column[order] for name, column in columns.items()}
