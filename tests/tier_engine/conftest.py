"""The engine's SQL, compiled once a session."""

from __future__ import annotations

import pytest
from tier_engine.engine import Engine


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("tier_engine"))
