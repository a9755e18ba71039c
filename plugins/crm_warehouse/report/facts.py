"""What the report's pages say of a run, gathered from its results; counts and sentences, never a value of a row."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from crm_warehouse.evidence.lineage import read_lineage
from crm_warehouse.profile import Profile
from crm_warehouse.quality import day_types
from crm_warehouse.quality.quarantine import list_quarantine
from crm_warehouse.quality.waivers import read_waivers, state_of
from crm_warehouse.report import trends
from crm_warehouse.report.data_docs import read_data_docs
from crm_warehouse.report.figures import FEWEST_SHOWN, read_figures
from crm_warehouse.report.lineage import extracts_delivered, list_lineage
from crm_warehouse.settings import Settings

DIMENSIONS = ("completeness", "accuracy", "consistency", "timeliness", "uniqueness", "validity")


def gather_facts(settings: Settings, profile: Profile, summary: dict, digests: list[dict]) -> dict:
    """Everything the pages show. `digests`: of the reports kept so far."""
    results = summary["results"]
    landing, built = results.get("landing_gate", {}), results.get("build", {})
    gates = {name: results[name] for name in trends.GATES if "planned" in results.get(name, {})}
    judged = [row for gate in gates.values() for row in gate["results"]]
    batches = landing.get("batches", [])
    earlier = [d for d in digests if d["bank"] == profile.bank and d["started_at"] <= summary["started_at"]]
    earlier = earlier[-(trends.KEPT - 1) :]
    history = trends.trends_of(settings.report, earlier, trends.verdicts_of(summary))
    is_built = "candidate" in built and "problem" not in built and Path(built["candidate"]).is_file()
    return {
        "summary": summary,
        "profile": profile,
        "gates": gates,
        "stopped_at": next((name for name, result in results.items() if "problem" in result), None),
        "not_passed": sorted((row for row in judged if row["status"] != "passed"), key=_gravest_first),
        "rules": {row["rule"]["id"]: row for row in judged},
        "kinds": {name: _kinds(gate["results"]) for name, gate in gates.items()},
        "dimensions": DIMENSIONS,
        "batches": batches,
        "files_read": len(batches),
        "rows": {name: sum(b[f"rows_{name}"] for b in batches) for name in ("read", "quarantined", "rejected")},
        "held_back": [b for b in batches if b["rows_quarantined"] or b["rows_rejected"]],
        "quarantine": _quarantine(settings, profile, set(summary["business_dates"]), judged),
        "waivers": _waivers(settings, date.fromisoformat(summary["started_at"][:10])),
        "facts": landing.get("facts", []),
        "listed": landing.get("listed", {}),
        "learned": landing.get("learned", {}),
        "late": landing.get("late", []),
        "sequence": landing.get("sequence", []),
        "day_types": day_types.NAMES,
        "runs": [*earlier, trends.digest_of(summary)],
        "history": history,
        "unsettled": _unsettled(history),
        "canonical_tables": built.get("canonical_tables", {}),
        "coverage": built.get("coverage", {}),
        "tables": (results.get("mart_gate", {}).get("audited") or {}).get("tables", {}),
        "lineage": list_lineage(profile, read_lineage(settings, built["lineage_sha256"])) if is_built else [],
        "delivered": extracts_delivered(profile, batches),
        "figures": read_figures(Path(built["candidate"])) if is_built else None,
        "fewest_shown": FEWEST_SHOWN,
        "data_docs": {name: read_data_docs(settings.run_folder(summary["run_id"]), name) for name in gates},
    }


def _gravest_first(row: dict) -> tuple:
    return row["status"] == "waived", ("block", "quarantine", "warn").index(row["rule"]["severity"])


def _kinds(results: list[dict]) -> list[dict]:
    """Rules that say the same of many tables and columns, together; what did not pass first."""
    shared = ("reason", "severity", "dimension", "owner", "on_failure", "principle", "may_be_waived")
    kinds: dict[tuple, list[dict]] = {}
    for row in results:
        kinds.setdefault(tuple(row["rule"][name] for name in shared), []).append(row)
    listed = [
        {
            **dict(zip(shared, key, strict=True)),
            "rules": sorted(rows, key=lambda row: (row["status"] == "passed", row["rule"]["id"])),
            "not_passed": sum(row["status"] != "passed" for row in rows),
        }
        for key, rows in kinds.items()
    ]
    return sorted(listed, key=lambda kind: (not kind["not_passed"], kind["reason"]))


def _quarantine(settings: Settings, profile: Profile, dates: set[str], judged: list[dict]) -> list[dict]:
    """Batches with rows set aside: those of the run's dates, and older ones on which somebody has still to decide."""
    names = {row["rule"]["id"]: row["rule"] for row in judged}
    found = []
    for entry in list_quarantine(settings, profile):
        if entry["business_date"] in dates or "waiting" in entry["states"]:
            why = [
                {"id": short, "rule": names.get(f"landing.{entry['table']}.{short}"), "rows": rows}
                for short, rows in entry["rules"].items()
            ]
            found.append({**entry, "why": why})
    return found


def _waivers(settings: Settings, today: date) -> list[dict]:
    """Every waiver with what became of it, newest first; days left of those in force."""
    waivers = [{**waiver, "state": state_of(waiver, today)} for waiver in reversed(read_waivers(settings))]
    for waiver in waivers:
        waiver["days_left"] = (date.fromisoformat(waiver["expires_on"]) - today).days
    return waivers


def _unsettled(history: dict[str, list[dict | None]]) -> list[dict]:
    """Rules that did not pass in at least one run that is kept, those that fail most often first."""
    found = [
        {
            "id": rule,
            "points": points,
            "seen": sum(point is not None for point in points),
            "not_passed": sum(point is not None and point["status"] != "passed" for point in points),
        }
        for rule, points in history.items()
    ]
    found = [row for row in found if row["not_passed"]]
    return sorted(found, key=lambda row: (-row["not_passed"], row["id"]))
