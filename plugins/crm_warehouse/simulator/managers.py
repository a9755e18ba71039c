"""Relationship managers: their branch, career and style, what they truly add, and who takes over when they leave."""

from dataclasses import dataclass

import numpy as np

from crm_warehouse.simulator.catalogue import REGIONS
from crm_warehouse.simulator.simulation import NEVER, Simulation

GRADES = ("junior", "middle", "senior", "expert")
LEAVE_REASONS = ("resigned", "transferred", "retired")
RESIGNED = LEAVE_REASONS.index("resigned")
RIVALS = 8  # other banks that court customers and hire managers: BK01..BK08
MANAGED_SHARE = 0.05  # of customers, about: those rich enough to have a manager
BOOK_SIZE = 50  # customers a manager has, about


@dataclass(frozen=True)
class Managers:
    """One row per manager; days as day numbers. Manager i works in region i % 8, so the next one there is 8 rows on."""

    branch: np.ndarray
    grade: np.ndarray
    hired: np.ndarray
    left: np.ndarray
    reason: np.ndarray  # code into LEAVE_REASONS, -1 if not left
    is_mechanical: np.ndarray  # ticks boxes: many contacts, pasted notes
    true_effect: np.ndarray  # what the manager adds to the log of a customer's assets, per month
    care: np.ndarray  # what the manager adds to satisfaction
    follow_share: np.ndarray  # customers who go along when the manager resigns, at middling loyalty
    rival: np.ndarray  # where a manager who resigns goes: code of BK01..BK08, -1 if not

    @property
    def per_region(self) -> int:
        return self.left.size // len(REGIONS)

    def drawn_for(self, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A first manager for each region given."""
        return region + len(REGIONS) * rng.integers(0, self.per_region, region.size)

    def successor(self, manager: np.ndarray) -> np.ndarray:
        return (manager + len(REGIONS)) % self.left.size

    def in_office(self, day: int) -> np.ndarray:
        """For each manager, who has the book on a day: the manager, or whoever follows after departures."""
        current = np.arange(self.left.size)
        for _ in range(self.per_region):
            current = np.where(self.left[current] <= day, self.successor(current), current)
        return current


def draw_managers(simulation: Simulation) -> Managers:
    """At least three a region, one per some fifty customers to manage; one in eight leaves within the window."""
    rng = simulation.stream("managers")
    n = len(REGIONS) * max(3, -(-int(simulation.customers * MANAGED_SHARE) // (BOOK_SIZE * len(REGIONS))))
    branch = (np.arange(n) % len(REGIONS)) * 5 + rng.integers(0, 5, n)
    left = np.full(n, NEVER)
    leavers = rng.permutation(n)[: max(3, n // 8)]
    left[leavers] = np.linspace(0.25 * simulation.days, simulation.days - 15, leavers.size).astype(int)
    reason = np.where(left < NEVER, rng.choice(3, n, p=(0.6, 0.25, 0.15)), -1)
    reason[leavers[0]] = RESIGNED
    is_mechanical = rng.random(n) < 0.25
    return Managers(
        branch=branch, grade=rng.integers(0, 4, n), hired=-rng.integers(100, 4000, n), left=left, reason=reason,
        is_mechanical=is_mechanical,
        true_effect=(rng.normal(0.002, 0.004, n) - 0.003 * is_mechanical).round(6),
        care=(rng.normal(0.03, 0.04, n) - 0.06 * is_mechanical).round(6),
        follow_share=rng.uniform(0.25, 0.75, n).round(6),
        rival=np.where(reason == RESIGNED, rng.integers(0, RIVALS, n), -1),
    )  # fmt: skip


def target_columns(simulation: Simulation, managers: Managers) -> dict[str, np.ndarray]:
    """Monthly targets of managers and branches: net new money and contribution, in fen."""
    rng, branches = simulation.stream("managers", 2), 5 * len(REGIONS)
    months = simulation.dates(simulation.months()[0])
    owners = [("rm", f"R{i + 1:05d}", managers.branch[i]) for i in range(managers.left.size)]
    owners += [("branch", f"B{i + 1:03d}", i) for i in range(branches)]
    measures = ("net_new_money", "contribution")
    size = np.array([2_000_000 if kind == "branch" else 400_000 for kind, *_ in owners])[:, None, None]
    shape = (len(owners), months.size, len(measures))
    amount = size * np.array([1.0, 0.02]) * rng.uniform(0.6, 1.4, (len(owners), 1, 1)) * rng.uniform(0.9, 1.1, shape)
    owner, month, measure = np.indices(shape).reshape(3, -1)
    return {
        "owner_type": np.array([kind for kind, *_ in owners], dtype=object)[owner],
        "owner_id": np.array([name for _, name, _ in owners], dtype=object)[owner], "month": months[month],
        "measure": np.array(measures, dtype=object)[measure],
        "amount": amount.round(-2).astype(np.int64).ravel() * 100,
    }  # fmt: skip
