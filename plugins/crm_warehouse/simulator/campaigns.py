"""Marketing campaigns: whom they aim at, what they cost, and what they truly add to conversion."""

from dataclasses import dataclass

import numpy as np

from crm_warehouse.simulator.journal import DAY, HOUR
from crm_warehouse.simulator.simulation import Simulation

CHANNELS = ("message", "call", "mobile", "branch")
# Name, product aimed at (None for a general offer), least and most assets in CNY.
OFFERS = (
    ("稳健理财进阶", "WP-R2", 5_000, 200_000),
    ("新客存款礼遇", "TD-12M", 1_000, 50_000),
    ("权益基金定投", "FD-EQ", 20_000, 500_000),
    ("大额存单专享", "CD-36M", 200_000, 6_000_000),
    ("养老年金计划", "INS-ANN", 50_000, 2_000_000),
    ("私行家族信托", "TRUST-1", 2_000_000, 10**12),
    ("他行资金回流", None, 50_000, 10**12),
)
CONTROL_SHARE = 0.2


@dataclass(frozen=True)
class Campaigns:
    """One row per campaign, one campaign starts in every other month of the window; days as day numbers."""

    offer: np.ndarray  # code into OFFERS
    month: np.ndarray  # number of the month it starts in
    starts: np.ndarray
    ends: np.ndarray
    channel: np.ndarray
    reach: np.ndarray  # share of eligible customers who become members
    base_rate: np.ndarray  # conversion of who is not contacted
    true_uplift: np.ndarray  # what being contacted adds; one in four adds nothing
    cost: np.ndarray  # fen


def draw_campaigns(simulation: Simulation) -> Campaigns:
    """The last campaign starts early in the month of the daily deliveries, so that its answers come in day by day."""
    rng = simulation.stream("campaigns")
    firsts = simulation.months()[0]
    month = np.arange((firsts.size - 1) % 2, firsts.size, 2)
    n = month.size
    reach = rng.uniform(0.15, 0.45, n)
    uplift = np.where(np.arange(n) % 4 == 3, 0.0, rng.uniform(0.02, 0.12, n))
    return Campaigns(
        offer=np.arange(n) % len(OFFERS), month=month, starts=firsts[month] + 4, ends=firsts[month] + 24,
        channel=rng.integers(0, len(CHANNELS), n), reach=reach.round(6),
        base_rate=rng.uniform(0.01, 0.05, n).round(6), true_uplift=uplift.round(6),
        cost=(rng.uniform(5, 40, n) * simulation.customers * reach).astype(np.int64) * 100,
    )  # fmt: skip


def member_columns(campaigns: Campaigns, members: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Who was meant to hear of a campaign, and what came of it; seconds are local, -1 never. Control is not contacted."""
    campaign, second = members["campaign"], members["second"]
    start = campaigns.starts[campaign] * DAY
    contacted = np.where(members["is_control"], -1, start + (second % 4) * DAY + 9 * HOUR + second // 4)
    heard = np.maximum(contacted, start)
    answered = members["is_answered"] | members["is_converted"]
    responded = np.where(answered & ~members["is_control"], contacted + HOUR + second % DAY, -1)
    converted = np.where(members["is_converted"], heard + DAY + members["answer_days"] * DAY // 2, -1)
    return {
        "campaign": campaign, "is_control": members["is_control"], "joined": start, "contacted": contacted,
        "responded": responded, "converted": converted,
        "amount": np.where(members["is_converted"], members["amount"], -1),
    }  # fmt: skip
