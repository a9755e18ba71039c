"""The Airflow that people start for themselves."""

import shutil
import sys
from pathlib import Path

import pytest
from conftest import settings_in

from crm_warehouse import airflow_home


def test_the_parts_of_a_standalone_airflow_find_the_command_of_this_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    path = airflow_home.environment(settings_in(tmp_path))["PATH"]
    assert shutil.which("airflow", path=path) == str(Path(sys.executable).parent / "airflow")
