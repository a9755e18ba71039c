"""How assets under management are spread over customers, and how each customer's path moves by month."""

import numpy as np

from crm_warehouse.simulator.simulation import Block

# Survival curve of AUM in CNY: share of customers at or above each amount; Pareto (a straight line in logs) between.
# From 500,000 up it meets the published shape: 2.25 % of customers hold 81.4 % of AUM, 0.07 % (10 million) hold 31.3 %.
AMOUNTS = np.array([100.0, 9_000.0, 50_000.0, 200_000.0, 500_000.0, 10_000_000.0])
SHARES = np.array([1.0, 0.15, 0.08, 0.0385, 0.0225, 0.0007])
TAIL_EXPONENT = 1.556  # mean of those above 10 million: 28 million

# Bands that must be lived in whatever the size: (from, to, least number of customers).
BANDS = (
    (42_000, 50_000, 2), (50_000, 60_000, 2), (170_000, 200_000, 2), (200_000, 240_000, 2), (420_000, 500_000, 2),
    (500_000, 600_000, 2), (1_700_000, 2_000_000, 2), (2_000_000, 2_400_000, 2), (5_000_000, 6_000_000, 2),
    (6_000_000, 8_000_000, 2), (8_000_000, np.inf, 1),
)  # fmt: skip


def _wealth_held_by_top(share: np.ndarray) -> np.ndarray:
    """Integral of the quantile function from 0 to share: CNY held by the richest share, per customer of the bank."""
    lowers = np.append(SHARES[1:], 0.0)
    exponents = np.append(np.log(SHARES[:-1] / SHARES[1:]) / np.log(AMOUNTS[1:] / AMOUNTS[:-1]), TAIL_EXPONENT)
    held = np.zeros_like(share)
    for amount, upper, lower, exponent in zip(AMOUNTS, SHARES, lowers, exponents, strict=True):
        # Within a segment the quantile function is amount * (share / upper) ** (-1 / exponent).
        power = 1 - 1 / exponent
        cut = np.clip(share, lower, upper)
        held += amount * upper / power * ((cut / upper) ** power - (lower / upper) ** power)
    return held


def wealth_of_customers(customers: int) -> np.ndarray:
    """AUM in CNY by rank, richest first; shape (customers,).

    A stratified, parameter-free draw: customer i gets the mean of the fitted curve over its own stratum, so totals
    and shares are right at any size. Where that leaves a band of BANDS short (the private-banking bands below some
    5,000 customers), customers from just above 500,000, or else from the middle, are moved into it: at 2,000
    customers that adds some 12 % to AUM and two points to the share held from 500,000 up, while the number of
    customers from 500,000 up stays as drawn. One customer of 2,000 has over 10 million, the next just under it.
    """
    edges = np.arange(customers + 1) / customers
    wealth = np.diff(_wealth_held_by_top(edges)) * customers
    taken = np.zeros(customers, dtype=bool)
    for low, high, least in reversed(BANDS):
        inside = np.flatnonzero((wealth >= low) & (wealth < high) & ~taken)[:least]
        taken[inside] = True
        poorer = ~taken & (wealth < low)
        top = np.flatnonzero(poorer & (wealth >= 500_000))
        middle = np.flatnonzero(poorer & (wealth < 40_000))
        donors = np.append(top[::-1], middle) if low >= 500_000 else middle
        donors = donors[: least - inside.size]
        wealth[donors] = np.linspace(low, min(high, 1.1 * low), donors.size + 2)[1:-1]
        taken[donors] = True
    return wealth


def draw_paths(block: Block, wealth: np.ndarray) -> np.ndarray:
    """Log of month-end AUM relative to wealth, before market moves: shape (rows, months + 1), column 0 is before history.

    A trend of each customer's own plus a fading shock, both 0 at the end of the initial history, so that the spread
    of wealth is met there. Paths are calm above 8 million, wild from 6 to 8 if the seeds' claim is to hold, lively
    below 50,000.
    """
    rng, simulation = block.stream("paths"), block.simulation
    months = simulation.months()[0].size
    bands = np.searchsorted([50_000, 5_000_000, 6_000_000, 8_000_000], wealth, side="right")
    sigma = np.array([0.25, 0.14, 0.12, simulation.volatile_band_sigma, 0.05])[bands]
    trend = rng.normal(0.004, np.array([0.020, 0.015, 0.012, 0.012, 0.008])[bands])
    log_path = np.zeros((wealth.size, months + 1))
    shock = sigma * rng.standard_normal(wealth.size)
    for month in range(months + 1):
        shock = 0.7 * shock + np.sqrt(1 - 0.7**2) * sigma * rng.standard_normal(wealth.size)
        log_path[:, month] = trend * month + shock
    return log_path - log_path[:, simulation.history_months, None]
