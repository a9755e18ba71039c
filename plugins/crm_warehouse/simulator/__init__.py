"""The reference bank: a whole simulated retail bank's nightly extracts, the same bytes for the same seed and size."""

from crm_warehouse.simulator.deliveries import simulate
from crm_warehouse.simulator.portrait import draw_portrait
from crm_warehouse.simulator.simulation import Simulation, delivery_dates

__all__ = ["Simulation", "delivery_dates", "draw_portrait", "simulate"]
