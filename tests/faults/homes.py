"""Homes for fault tests: copies of one that has published, and runs in a process of their own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from conftest import Run, settings_in

from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings

RUN = """
import sys
from datetime import date
from pathlib import Path
from crm_warehouse import pipeline
from crm_warehouse.progress import silent
from crm_warehouse.settings import PROJECT, Settings
home, source_root, run_id, first, last = sys.argv[1:]
settings = Settings("reference_bank", Path(home), PROJECT, Path(source_root))
pipeline.run(settings, run_id, date.fromisoformat(first), date.fromisoformat(last), False, lambda step: silent)
"""


def hashes_of(settings: Settings) -> dict[str, str]:
    """Content hash of every table that is live, but of those that tell of runs: each home had runs of its own."""
    tables = versions.tables_of_the_bank(versions.live_version(settings))
    return {name: table["content_hash"] for name, table in tables.items()}


def home_with_key_of(run: Run, home: Path) -> Settings:
    """An empty home with the same customer key, so that the same inputs give the same tokens."""
    settings = settings_in(home, source_root=run.settings.source_root)
    settings.secrets.mkdir(parents=True, mode=0o700)
    shutil.copy2(run.settings.customer_key_file, settings.customer_key_file)
    return settings


def copy_of(run: Run, home: Path, without: date | None = None) -> Settings:
    """A copy of a home that has published; `without`: a business date that has not landed in it."""
    for folder in ("landing", "secrets", "evidence", "published", "report"):
        shutil.copytree(run.settings.home / folder, home / folder)
    settings = settings_in(home, source_root=run.settings.source_root)
    settings.warehouse.mkdir(parents=True)
    shutil.copy2(run.settings.warehouse / "customer_tokens.parquet", settings.warehouse)
    if without:
        for day in list(settings.landing.glob(f"*/*/business_date={without}")):
            shutil.rmtree(day)
    return settings


def start_run(settings: Settings, run_id: str, first: date, last: date) -> subprocess.Popen:
    """The main job in a process, and a process group, of its own."""
    arguments = [str(settings.home), str(settings.source_root), run_id, first.isoformat(), last.isoformat()]
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill_when(process: subprocess.Popen, moment: Callable[[], bool], within: float = 90) -> bool:
    """SIGKILL the process, and it alone, as soon as `moment` is true. False when it ended before."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if moment():
            process.kill()
            process.wait()
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    process.kill()
    raise AssertionError(f"the moment did not come within {within} s")


def landed_batches(settings: Settings) -> int:
    return sum(1 for _ in settings.landing.glob("[!.]*/*/business_date=*/batch=*"))


def last_finished(settings: Settings) -> dict:
    """Body of the last run_finished entry of the evidence log."""
    lines = (settings.evidence / "log.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return [entry["body"] for entry in entries if entry["event"] == "run_finished"][-1]


def environment_of(settings: Settings) -> dict[str, str]:
    """What a person would export to work in this home."""
    given = {"CRM_WAREHOUSE_HOME": str(settings.home), "CRM_WAREHOUSE_DATA": str(settings.source_root)}
    mine = {name: value for name, value in os.environ.items() if not name.startswith("CRM_WAREHOUSE_")}
    return {**mine, **given, "CRM_WAREHOUSE_BANK": "reference_bank"}


def seal(file: Path, **changes: str) -> None:
    """Make the control file agree with the file, as a source that is wrong itself would send it."""
    control = file.with_suffix(".ctl")
    facts = dict(line.split("=", 1) for line in control.read_text(encoding="utf-8").splitlines())
    facts |= {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), **changes}
    control.write_text("".join(f"{name}={value}\n" for name, value in facts.items()), encoding="utf-8")


def fact_of(file: Path, name: str) -> str:
    lines = file.with_suffix(".ctl").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)[name]


def deliver_a_customer_twice(file: Path) -> None:
    """The first customer of the file again as its last row, in a delivery whose control file agrees."""
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines, lines[1]]))
    seal(file, rows=str(len(lines)))
