"""Paths and environment, read once and validated: one frozen object."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from crm_warehouse.errors import SettingsError

DEFAULT_BANK = "reference_bank"
PROJECT = Path(os.environ.get("CRM_WAREHOUSE_PROJECT", Path(__file__).resolve().parents[2]))

# Nothing in this project phones home; importing any of these libraries must find the switch already off.
TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "SCARF_ANALYTICS": "false",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}
os.environ.update(TELEMETRY_OFF)


@dataclass(frozen=True)
class Settings:
    """Where everything of one bank lives. Every runtime file is below `home`."""

    bank: str
    home: Path
    project: Path
    source_root: Path

    @property
    def bank_folder(self) -> Path:
        return self.project / "dbt_project" / "banks" / self.bank

    @property
    def landing(self) -> Path:
        return self.home / "landing" / self.bank

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse" / self.bank

    @property
    def token_map(self) -> Path:
        """Who a customer_key is; it names customers, so only what is restricted is made of it."""
        return self.warehouse / "customer_tokens.parquet"

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine" / self.bank

    @property
    def waivers(self) -> Path:
        return self.home / "waivers" / f"{self.bank}.json"

    @property
    def erasures(self) -> Path:
        return self.home / "erasures" / f"{self.bank}.json"

    @property
    def published(self) -> Path:
        return self.home / "published"

    @property
    def exports(self) -> Path:
        """Files for one audience, made on demand; readable by their owner only."""
        return self.home / "exports"

    @property
    def evidence(self) -> Path:
        return self.home / "evidence"

    @property
    def report(self) -> Path:
        return self.home / "report"

    @property
    def airflow(self) -> Path:
        return self.home / "airflow"

    @property
    def ground_truth(self) -> Path:
        """What the simulated bank hides. Written by the simulator, read by the score, by nothing else."""
        return self.home / "ground_truth" / self.bank

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def customer_key_file(self) -> Path:
        """The key of the customer tokens: outside the warehouse, one per bank, or the one that is given."""
        given = os.environ.get("CRM_WAREHOUSE_CUSTOMER_KEY_FILE")
        return Path(given).resolve() if given else self.secrets / f"customer_key_{self.bank}"

    def run_folder(self, run_id: str) -> Path:
        """Results of one run's steps, kept: plan, landing, gates, build, publish."""
        return self.evidence / "runs" / safe_name(run_id)


def safe_name(text: str) -> str:
    """`text` with everything that may not stand in a file name replaced by `-`."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)


def known_banks(project: Path = PROJECT) -> list[str]:
    return sorted(path.parent.name for path in (project / "dbt_project" / "banks").glob("*/extracts.yml"))


def load_settings(bank: str | None = None, data: str | Path | None = None) -> Settings:
    """Settings from arguments, then the environment, then defaults.

    `bank`: CRM_WAREHOUSE_BANK or the reference bank. `data`: the folder the source systems write to,
    CRM_WAREHOUSE_DATA or `<home>/source_systems/<bank>`. Raises SettingsError in one sentence.
    """
    bank = bank or os.environ.get("CRM_WAREHOUSE_BANK") or DEFAULT_BANK
    if bank not in known_banks():
        raise SettingsError(f"unknown bank '{bank}': the profiles in dbt_project/banks are {', '.join(known_banks())}")
    home = Path(os.environ.get("CRM_WAREHOUSE_HOME") or PROJECT / "var").resolve()
    data = data or os.environ.get("CRM_WAREHOUSE_DATA")
    source_root = Path(data).resolve() if data else home / "source_systems" / bank
    if data and not source_root.is_dir():
        raise SettingsError(f"the data folder {source_root} does not exist: give the folder of the bank's extracts")
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise SettingsError(
            f"cannot write to {home} ({problem.strerror}): make it writable or set CRM_WAREHOUSE_HOME to another folder"
        ) from None
    return Settings(bank=bank, home=home, project=PROJECT, source_root=source_root)
