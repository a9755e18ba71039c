"""The ground truth: what the bank cannot see. The pipeline never reads it; `crm-warehouse score` compares with it."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from crm_warehouse.simulator.campaigns import Campaigns
from crm_warehouse.simulator.lives import CAUSES, EXITS, LIFE_EVENTS, Lives
from crm_warehouse.simulator.managers import Managers
from crm_warehouse.simulator.population import Population
from crm_warehouse.simulator.simulation import NEVER, Block, Simulation, padded

EXPLAINED_FROM = 20_000  # CNY; below it a customer is far from any tier
JOINT_ACCOUNT = "joint_account"


def bank_truth(simulation: Simulation, managers: Managers, campaigns: Campaigns) -> dict[str, pa.Table]:
    """True effects of managers (log of assets per month) and campaigns (added chance of conversion)."""
    return {
        "relationship_managers": pa.table({
            "rm_id": [f"R{i + 1:05d}" for i in range(managers.left.size)],
            "true_effect": managers.true_effect, "care": managers.care, "is_mechanical": managers.is_mechanical,
            "follow_share": managers.follow_share, "rival_institution_id": _rivals(managers.rival),
        }),
        "campaigns": pa.table({
            "campaign_id": [f"M{i + 1:04d}" for i in range(campaigns.month.size)],
            "base_rate": campaigns.base_rate, "true_uplift": campaigns.true_uplift,
        }),
    }  # fmt: skip


def block_truth(
    block: Block, population: Population, lives: Lives, holders: dict[str, np.ndarray]
) -> dict[str, pa.Table]:
    """Truth by customer, and every exit, drain, life event and cause of a month's move."""
    simulation, spells, traits = block.simulation, lives.spells, population.traits
    months = simulation.dates(simulation.months()[0])
    # The last spell of a customer is the one that counts today.
    spell = np.arange(block.size)
    spell[spells.customer[block.size :]] = np.arange(block.size, spells.customer.size)
    elsewhere = spells.target[spell, -1] * traits.elsewhere_ratio
    customers = pa.table({
        "customer_id": _customer_ids(block, np.arange(block.size)), "wealth_elsewhere_amount": elsewhere.round(2),
        "risk_appetite": traits.risk_appetite.round(6), "is_founder": traits.is_founder,
        "satisfaction": lives.satisfaction[spell, -1].round(6), "loyalty": lives.loyalty[spell, -1].round(6),
        "is_courted": lives.is_courted[spell, -1], "courted_by": _rivals(lives.courted_by[spell]),
        "retention_12m": _retention(lives, spell, traits.age + simulation.days / 365.25),
    })  # fmt: skip
    ended = np.flatnonzero(spells.end < simulation.days)
    exits = pa.table({
        "customer_id": _customer_ids(block, spells.customer[ended]), "closed_on": simulation.dates(spells.end[ended]),
        "cause": _texts(EXITS, lives.exit_cause[ended]),
    })  # fmt: skip
    drained = lives.drains
    drains = pa.table({
        "customer_id": _customer_ids(block, spells.customer[drained["spell"]]), "month": months[drained["month"]],
        "share": drained["share"].round(6), "rival_institution_id": _rivals(drained["rival"]),
        "cause": _texts(CAUSES, drained["cause"]),
    })  # fmt: skip
    happened = lives.events
    events = pa.table({
        "customer_id": _customer_ids(block, spells.customer[happened["spell"]]), "month": months[happened["month"]],
        "event": _texts(LIFE_EVENTS, happened["event"]),
    })  # fmt: skip
    return {
        "customers": customers, "exits": exits, "drains": drains, "life_events": events,
        "asset_moves": _asset_moves(block, lives, holders),
    }  # fmt: skip


def _asset_moves(block: Block, lives: Lives, holders: dict[str, np.ndarray]) -> pa.Table:
    """What moved each customer's assets most, month by month, for all who may move between tiers.

    Whoever has little but shares an account moves with its owner: the cause is the joint account.
    """
    simulation, spells = block.simulation, lives.spells
    firsts, lasts = simulation.months()
    is_here = (spells.start[:, None] <= lasts) & (spells.end[:, None] >= firsts)
    is_rich = spells.target.max(axis=1) >= EXPLAINED_FROM
    shares = np.isin(spells.customer, holders["customer"][holders["is_joint"]]) & ~is_rich
    cause = np.where(shares[:, None], len(CAUSES), lives.cause)
    row, month = np.nonzero(is_here & (is_rich | shares)[:, None])
    return pa.table({
        "customer_id": _customer_ids(block, spells.customer[row]), "month": simulation.dates(firsts)[month],
        "cause": pa.DictionaryArray.from_arrays(pa.array(cause[row, month]), pa.array([*CAUSES, JOINT_ACCOUNT])),
    })  # fmt: skip


def _retention(lives: Lives, spell: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Chance to stay twelve months longer, if loyalty stays as it is; null for who has left."""
    chance = 0.00003 * np.exp((age - 40) / 11) + 0.0001 + np.where(lives.loyalty[spell, -1] < 0.42, 0.03, 0)
    # Rounded, because the last bit of a power is not the same on every machine.
    stays = ((1 - np.minimum(chance, 1)) ** 12).round(9)
    return np.where(lives.spells.end[spell] < NEVER, np.nan, stays)


def _texts(names: Iterable[str], codes: np.ndarray) -> pa.Array:
    return pa.array(np.array(list(names), dtype=object)[codes], pa.string())


def _customer_ids(block: Block, customer: np.ndarray) -> pa.Array:
    return pa.array(np.char.add("C", padded(block.first + customer + 1, 8)).astype(object), pa.string())


def _rivals(rival: np.ndarray) -> pa.Array:
    names = np.char.add("BK", padded(rival + 1, 2)).astype(object)
    return pa.array(names, pa.string(), mask=rival < 0)
