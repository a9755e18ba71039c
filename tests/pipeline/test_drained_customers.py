"""Rivals draw assets of the rich: a bank that has many of them, and what its marts see of it, against the truth."""

from __future__ import annotations

from datetime import date

import pytest
from conftest import settings_in
from test_band_claims import rich

from crm_warehouse import pipeline
from crm_warehouse.progress import silent
from crm_warehouse.score import Score, score_marts
from crm_warehouse.simulator import Simulation, population, simulate

DAY = date(2026, 5, 31)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Score]:
    settings = settings_in(tmp_path_factory.mktemp("rich"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population, "wealth_of_customers", rich)
        simulate(settings.source_root, Simulation(customers=800), settings.ground_truth)
    pipeline.run(settings, "rich", DAY, DAY, False, lambda step: silent)
    return {score.name: score for score in score_marts(settings)[0]}


def test_nearly_half_of_those_a_rival_draws_are_shown_as_poached_by_that_bank(scores: dict[str, Score]) -> None:
    """18 of 37, beside 281 who moved of their own accord: an own account elsewhere does not say why money goes there."""
    poached = scores["poached_customers_found"]
    assert poached.total > 20 and poached.recall > 0.4, poached
    assert poached.found / (poached.found + poached.wrong) > 0.04, poached


def test_large_drains_are_seen_as_churn_and_no_closing_is_invented(scores: dict[str, Score]) -> None:
    drains, closings = scores["drains_found"], scores["closings_found"]
    assert drains.total > 5 and drains.recall > 0.5, drains
    assert closings.wrong == 0 and closings.recall > 0.8, closings
