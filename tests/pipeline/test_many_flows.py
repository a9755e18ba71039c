"""The benchmark of the asset bridge in small: some thousand drawn transactions, every sum checked, no time taken."""

from __future__ import annotations

from pathlib import Path

from benchmarks.flows import bridge
from crm_warehouse.replay import CompiledModels


def test_some_thousand_drawn_transactions_are_all_shown_and_every_months_assets_are_explained(reference_run) -> None:
    models = CompiledModels(Path(reference_run.summary["results"]["build"]["dbt_manifest"]))
    found = bridge(models, transactions=5_000, customers=2_500)
    assert found["rows"]["fct_aum_bridge"] == 2_500 and found["rows"]["stg_core__transactions"] > 5_000
    # One in a thousand is of an account that nobody knows, one was posted before the bridge begins, and orders lack their cash.
    assert found["corrections"] == {
        "before_bridge": 1,
        "conversion_leg_missing": 3,
        "overdraft": 0,
        "unknown_account": 5,
    }
