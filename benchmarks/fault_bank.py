"""The simulated bank of a campaign: what it sends, its clean days through the gate, and so an accepted history.

<folder>/sent       what the source systems sent
<folder>/home       landing, with every clean day accepted in turn, as nights go by
<folder>/clean.jsonl   what the gate made of each clean day
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

import expectations.landing
from benchmarks.fault_plan import Campaign
from crm_warehouse import pipeline
from crm_warehouse.errors import CrmWarehouseError
from crm_warehouse.extract import extract
from crm_warehouse.landing import land
from crm_warehouse.profile import Extract, Profile, load_profile
from crm_warehouse.progress import Progress, silent
from crm_warehouse.quality.landing_gate import LandingVerdict, run_landing_gate
from crm_warehouse.settings import PROJECT, Settings

BANK = "reference_bank"


@dataclass(frozen=True)
class FaultBank:
    """Where a simulated bank's deliveries and its warehouse are, and the date of its initial delivery."""

    sent: Path
    home: Path
    first: date

    @property
    def settings(self) -> Settings:
        return Settings(bank=BANK, home=self.home, project=PROJECT, source_root=self.sent)

    @property
    def profile(self) -> Profile:
        """The bank's profile, with the initial delivery of this simulation."""
        return replace(load_profile(self.settings), initial_delivery_on=self.first)

    def business_days(self, last: date) -> list[date]:
        return self.profile.business_dates(self.first, last)


def simulate_bank(folder: Path, campaign: Campaign, progress: Progress) -> FaultBank:
    """The campaign's bank, simulated unless it is there already."""
    from crm_warehouse.simulator import Simulation, simulate

    simulation = Simulation(
        customers=campaign.customers,
        history_from=campaign.history_from,
        initial_delivery_on=campaign.first,
        last_business_date=campaign.last,
    )
    simulate(folder / "sent", simulation, folder / "ground_truth", progress)
    return FaultBank(folder / "sent", folder / "home", campaign.first)


def land_day(bank: FaultBank, profile: Profile, day: date, only: Extract | None = None) -> None:
    """Extract and land every delivery of a day, or one. A broken answer is asked for again without a pause."""
    settings = bank.settings
    for source in [only.source] if only else profile.sources:
        with pipeline.opened_source(settings, profile, source, sleep=lambda seconds: None) as opened:
            for spec in [only] if only else profile.extracts_of(source):
                land(settings, spec, extract(profile, spec, opened, day))


def judge_day(bank: FaultBank, profile: Profile, day: date) -> tuple[LandingVerdict, Path]:
    """The landing gate over one day, as a night runs it; the verdict and the gate's database."""
    database = bank.settings.warehouse / "landing_gate.duckdb"
    return run_landing_gate(bank.settings, profile, [day], database, silent), database


def record_of_gate(verdict: LandingVerdict, database: Path) -> dict:
    """What a verdict says, for the record: failed rules, rows set aside by the exact rules that want them aside."""
    failed = {
        result.rule["id"]: {
            "severity": result.rule["severity"],
            "status": result.status,
            "rows": result.failed_rows,
        }
        for result in verdict.gate.failures()
    }
    rows_read: dict[str, int] = {}
    rejected: dict[str, int] = {}  # as they were read: a value too long
    for batch in verdict.batches:
        rows_read[batch["table"]] = rows_read.get(batch["table"], 0) + batch["rows_read"]
        if batch["rows_rejected"]:
            rejected[batch["table"]] = rejected.get(batch["table"], 0) + batch["rows_rejected"]
    return {
        "stopped_at": None,
        "planned": verdict.gate.planned,
        "failed": failed,
        "rows_read": rows_read,
        "rejected": rejected,
        "set_aside": [
            {"table": table, "rules": rules, "rows": len(rows), "damaged": 0, "source_rows": rows}
            for table, rules, rows in set_aside(database)
        ],
        "too_many": bool(verdict.too_many),
    }


def set_aside(database: Path) -> list[tuple[str, list[str], list[int]]]:
    """Rows in quarantine by table and by the exact set of rules: (table, rules, source rows)."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(
            """
            select source_table, rules, list(_source_row order by _source_row)
            from (
                select source_table, _source_row, list(distinct rule_id order by rule_id) as rules
                from _quarantined group by source_table, business_date, batch, _source_row
            )
            group by source_table, rules order by source_table, rules
            """
        ).fetchall()


def accept_clean_days(bank: FaultBank, days: list[date], record_file: Path, progress: Progress) -> dict[str, dict]:
    """Every clean day in turn through the gate and accepted, so that the next has its history; what the gate said.

    A clean day that is blocked is a false alarm: it is recorded as such, and then accepted without the rules that
    blocked it, as if a person had looked and let it pass. Days on record are not run again.
    """
    records = {record["day"]: record for record in read_records(record_file)}
    profile = bank.profile
    for done, day in enumerate(days):
        progress("clean days", done, len(days))
        if day.isoformat() not in records:
            records[day.isoformat()] = record = {"day": day.isoformat(), **_clean_day(bank, profile, day)}
            append_record(record_file, record)
    progress("clean days", len(days), len(days))
    return records


def _clean_day(bank: FaultBank, profile: Profile, day: date) -> dict:
    try:
        land_day(bank, profile, day)
        verdict, database = judge_day(bank, profile, day)
    except CrmWarehouseError as problem:
        raise RuntimeError(f"the clean delivery of {day} cannot be landed, so there is nothing to compare") from problem
    record = record_of_gate(verdict, database) | {"rules": [result.rule["id"] for result in verdict.gate.results]}
    for group in record["set_aside"]:
        del group["source_rows"]
    if not verdict.gate.is_open or verdict.too_many:
        in_the_way = {rule for rule, body in record["failed"].items() if body["severity"] != "warn"}
        with _rules_without(in_the_way):
            second, _ = judge_day(bank, profile, day)
            second.require_open()
    return record


@contextmanager
def _rules_without(waived: set[str]) -> Iterator[None]:
    """The landing gate's rules without some, for as long as the context lasts."""
    every = expectations.landing.build_rules
    expectations.landing.build_rules = lambda *given: [rule for rule in every(*given) if rule.id not in waived]
    try:
        yield
    finally:
        expectations.landing.build_rules = every


def read_records(path: Path) -> list[dict]:
    """Records of a file of JSON lines; a torn last line, left by a kill, counts as not written."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def append_record(path: Path, record: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and not path.read_bytes().endswith(b"\n"):
        path.write_text("".join(f"{json.dumps(r)}\n" for r in read_records(path)), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
