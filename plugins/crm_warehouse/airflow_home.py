"""A home for Airflow under `var/airflow`: its environment, and its metadata database made ready."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from crm_warehouse.errors import SettingsError
from crm_warehouse.settings import Settings


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which Airflow runs this project on this machine alone."""
    database = settings.airflow / "airflow.db"
    return {
        **os.environ,
        # Airflow's standalone starts its parts as `airflow`, which a person who typed .venv/bin/... has not on the path.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "AIRFLOW_HOME": str(settings.airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.project / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.airflow / "logs"),
        "CRM_WAREHOUSE_HOME": str(settings.home),
        "CRM_WAREHOUSE_PROJECT": str(settings.project),
    }


def prepare(settings: Settings) -> Path:
    """Create or migrate the metadata database; returns the log of it. Raises SettingsError when Airflow cannot."""
    settings.airflow.mkdir(parents=True, exist_ok=True)
    log = settings.airflow / "migrate.log"
    with log.open("w", encoding="utf-8") as output:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(command, env=environment(settings), stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SettingsError(f"Airflow could not prepare its database; read {log}")
    return log
