"""Report sites to look at: of a published run, of one that a gate stopped, of one that read nothing; and what is in them."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from conftest import Run, settings_in

from crm_warehouse.profile import load_profile
from crm_warehouse.report.site import write_report
from crm_warehouse.settings import Settings

STOPPED = "the landing gate is shut: rule landing.core__accounts.rows_present found 1 bad of 1 rows. Ask for it again."


@dataclass
class Page(HTMLParser):
    """What a page refers to and can be referred to by; its text and the names of its elements."""

    file: Path
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    elements: list[tuple[str, dict]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self):
        super().__init__()
        self.feed(self.file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]
        self.ids += [attributes["id"]] if "id" in attributes else []

    def handle_data(self, data):
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def home_beside(run: Run, home: Path) -> Settings:
    """A home with the run's warehouse and evidence, and an empty report folder of its own."""
    home.mkdir(parents=True)
    for folder in ("warehouse", "landing", "secrets", "published", "evidence"):
        (home / folder).symlink_to(run.settings.home / folder)
    return settings_in(home, run.settings.bank, run.settings.source_root)


def stopped_at_gate(summary: dict, started_at: str = "2099-01-01T00:00:00+00:00") -> dict:
    """The same run as if the landing gate had stopped it: rules of each severity failed, one waived."""
    landing = copy.deepcopy(summary["results"]["landing_gate"])
    landing["problem"] = STOPPED
    for severity in ("block", "quarantine", "warn"):
        row = next(r for r in landing["results"] if r["rule"]["severity"] == severity and r["status"] == "passed")
        row.update(status="failed", failed_rows=7)
    waived = next(r for r in landing["results"] if r["rule"]["severity"] == "block" and r["status"] == "passed")
    waived.update(status="waived", failed_rows=2, detail="Waiver 1 until 2099-01-31.")
    landing["passed"] = sum(row["status"] == "passed" for row in landing["results"])
    landing["batches"][0].update(rows_quarantined=7, rows_loaded=landing["batches"][0]["rows_loaded"] - 7)
    kept = {name: result for name, result in summary["results"].items() if name.startswith("extract_")}
    return {
        **_without_report(summary),
        "run_id": "stopped",
        "started_at": started_at,
        "outcome": "failed",
        "problem": STOPPED,
        "results": {**kept, "landing_gate": landing},
    }


def stopped_before_gates(summary: dict) -> dict:
    """The same run as if its first source had broken off."""
    problem = "core/customers.csv is missing; ask the core system for it."
    source = f"extract_{summary['sources'][0]}"
    return {
        **_without_report(summary),
        "run_id": "unread",
        "started_at": "2099-01-02T00:00:00+00:00",
        "outcome": "failed",
        "problem": problem,
        "late": [],
        "results": {source: {"problem": problem}},
    }


def write_sites(run: Run, home: Path) -> Path:
    """The folder of all three sites."""
    settings, profile = home_beside(run, home), load_profile(run.settings)
    for summary in (_without_report(run.summary), stopped_at_gate(run.summary), stopped_before_gates(run.summary)):
        write_report(settings, profile, summary)
    return settings.report


def _without_report(summary: dict) -> dict:
    return {name: value for name, value in summary.items() if name != "report"}
