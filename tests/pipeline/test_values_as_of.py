"""A score uses what was known when its month ended: a run a month earlier says the same of every month that both know."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import FIRST, Run, settings_in

from crm_warehouse import pipeline
from crm_warehouse.progress import silent


@pytest.fixture(scope="module")
def earlier_run(reference_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same bank as of a month before, with the same customer tokens."""
    settings = settings_in(tmp_path_factory.mktemp("earlier"), source_root=reference_run.settings.source_root)
    settings.customer_key_file.parent.mkdir(parents=True)
    shutil.copy(reference_run.settings.customer_key_file, settings.customer_key_file)
    return Run(settings, pipeline.run(settings, "earlier", FIRST, FIRST, False, lambda step: silent))


@pytest.mark.parametrize("mart", ["fct_customer_values", "fct_value_concentration"])
def test_a_month_is_valued_the_same_as_of_its_end_and_as_of_later(
    earlier_run: Run, reference_run: Run, mart: str
) -> None:
    def rows(file: Path) -> set[tuple]:
        with duckdb.connect(str(file), read_only=True) as connection:
            return set(connection.execute(f"from marts.{mart} where month <= ?", [FIRST]).fetchall())

    earlier, later = (rows(run.published_file) for run in (earlier_run, reference_run))
    assert len(earlier) > 1000 and earlier == later
