"""Prices, exchange rates and outside series, day by day."""

from dataclasses import dataclass

import numpy as np

from crm_warehouse.simulator.catalogue import HELD
from crm_warehouse.simulator.simulation import Simulation

CURRENCIES = ("CNY", "USD", "HKD", "EUR")

# Outside series: unit, level when history begins, yearly drift, monthly noise. Household deposits are revised later.
SERIES = {
    "LPR_1Y": ("fraction", 0.0345, -0.0020, 0.0001), "CPI_YOY": ("fraction", 0.003, 0.002, 0.002),
    "M2_YOY": ("fraction", 0.070, 0.004, 0.003), "HOUSEHOLD_DEPOSITS": ("trillion_cny", 146.0, 11.0, 0.9),
    "MANUFACTURING_PMI": ("index", 49.8, 0.2, 0.4),
}  # fmt: skip
REVISED = "HOUSEHOLD_DEPOSITS"


@dataclass(frozen=True)
class Market:
    """Prices by day. Column 0 is the day before history: day d stands in column d + 1."""

    price: np.ndarray  # HELD x (days + 1), CNY per unit, 4 decimals
    cny_per_unit: np.ndarray  # CURRENCIES x (days + 1), 4 decimals


def draw_market(simulation: Simulation) -> Market:
    """Price and exchange-rate paths; they move on weekdays only."""
    rng = simulation.stream("market")
    days = simulation.days
    is_weekday = np.is_busday(simulation.dates(np.arange(-1, days)))
    drift = np.array([p.drift for p in HELD])[:, None]
    volatility = np.array([p.volatility for p in HELD])[:, None]
    # Equities, custody and, half as much, the mixed wealth product move with one market factor.
    loading = np.array([{"FD-EQ": 0.8, "CUST-SEC": 0.8, "WP-R3": 0.5}.get(p.product_id, 0.0) for p in HELD])[:, None]
    common, own = rng.standard_normal(days + 1), rng.standard_normal((len(HELD), days + 1))
    shock = loading * common + np.sqrt(1 - loading**2) * own
    step = np.where(is_weekday, drift / 261 + volatility / np.sqrt(261) * shock, 0.0)
    step[:, 0] = 0.0
    price = np.array([p.price for p in HELD])[:, None] * np.exp(np.cumsum(step, axis=1))
    start = np.array([1.0, 7.2988, 0.9403, 7.5257])[:, None]
    speed = np.array([0.0, 0.035, 0.035, 0.07])[:, None]
    move = np.where(is_weekday, speed / np.sqrt(261) * rng.standard_normal((4, days + 1)), 0.0)
    move[:, 0] = 0.0
    return Market(price.round(4), (start * np.exp(np.cumsum(move, axis=1))).round(4))


def series_columns(simulation: Simulation) -> dict[str, np.ndarray]:
    """Monthly outside series with their vintages: published two weeks after the month, one of them again in a quarter."""
    rng = simulation.stream("market", 1)
    months = simulation.dates(simulation.months()[0]).astype("datetime64[M]")
    published = (months + 1).astype("datetime64[D]") + 14
    rows = []
    for code, (unit, level, drift, noise) in SERIES.items():
        value = (level + drift * np.arange(months.size) / 12 + noise * rng.standard_normal(months.size)).round(6)
        rows.append((code, unit, value, published))
        if code == REVISED:
            rows.append((code, unit, (value * (1 + 0.002 * rng.standard_normal(months.size))).round(6), published + 91))
    count = len(rows)
    return {
        "series_code": np.repeat([code for code, *_ in rows], months.size).astype(object),
        "unit": np.repeat([unit for _, unit, *_ in rows], months.size).astype(object),
        "period_start": np.tile(months.astype("datetime64[D]"), count),
        "value": np.concatenate([value for *_, value, _ in rows]),
        "published_on": np.concatenate([published for *_, published in rows]),
    }
