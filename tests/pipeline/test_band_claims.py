"""The seeds' claim that 6-8 million moves, put to a bank where it is true and to one where it is false."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
from conftest import settings_in

from crm_warehouse import pipeline
from crm_warehouse.progress import silent
from crm_warehouse.publish import versions
from crm_warehouse.simulator import Simulation, population, simulate
from crm_warehouse.simulator.wealth import wealth_of_customers

DAY = date(2026, 5, 31)

pytestmark = pytest.mark.slow


def rich(customers: int) -> np.ndarray:
    """A quarter of the customers spread from 6 to 8 million, a quarter above: at its own size the bank has a handful."""
    wealth, quarter = wealth_of_customers(customers), customers // 4
    wealth[-2 * quarter : -quarter] = np.linspace(6_050_000, 7_950_000, quarter)
    wealth[-quarter:] = np.linspace(8_200_000, 14_000_000, quarter)
    return np.sort(wealth)[::-1].copy()


def verdicts(home: Path, sigma: float) -> dict[str, Counter]:
    """Verdicts of all months whose outcome is known, by band."""
    settings = settings_in(home)
    simulate(settings.source_root, Simulation(customers=1600, volatile_band_sigma=sigma), home / "truth")
    pipeline.run(settings, "claims", DAY, DAY, False, lambda step: silent)
    file = settings.published / versions.live_version(settings)["file"]
    with duckdb.connect(str(file), read_only=True) as connection:
        rows = connection.execute(
            "select band, verdict from marts.fct_tier_band_stability where verdict is not null"
        ).fetchall()
    return {band: Counter(verdict for of_band, verdict in rows if of_band == band) for band in ("volatile", "stable")}


@pytest.mark.parametrize(
    ("sigma", "right", "wrong"), [(0.22, "holds", "does_not_hold"), (0.05, "does_not_hold", "holds")]
)
def test_the_verdict_is_right_whether_the_claim_is_true_or_false(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sigma: float, right: str, wrong: str
) -> None:
    monkeypatch.setattr(population, "wealth_of_customers", rich)
    found = verdicts(tmp_path, sigma)
    assert sum(found["volatile"].values()) == 21
    assert found["volatile"][right] > 14 and not found["volatile"][wrong], found
    assert found["stable"]["holds"] > 14 and not found["stable"]["does_not_hold"], found
