"""One small bank, simulated once."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from simulated_files import DELIVERIES, EXTRACTS, LAST, SIMULATION, read

from crm_warehouse.simulator import simulate


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reference_bank")
    assert simulate(path / "extracts", SIMULATION, path / "truth")
    return path / "extracts"


@pytest.fixture(scope="session")
def frames(folder: Path) -> dict[str, dict[date, pd.DataFrame]]:
    return {name: {day: read(folder, name, day) for day in DELIVERIES} for name in EXTRACTS}


@pytest.fixture(scope="session")
def everything(frames: dict) -> dict[str, pd.DataFrame]:
    """Every event ever sent, the last state of every full table, and the last row of every key that changes."""

    def gathered(name: str, declared: dict) -> pd.DataFrame:
        if declared["delivery"] == "full":
            return frames[name][LAST]
        rows = pd.concat(frames[name].values(), ignore_index=True)
        keys = [column for column, attributes in declared["columns"].items() if attributes.get("key")]
        return rows.drop_duplicates(keys, keep="last") if declared["delivery"] == "changes" else rows

    return {name: gathered(name, declared) for name, (_, declared) in EXTRACTS.items()}
