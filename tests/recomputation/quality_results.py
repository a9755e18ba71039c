"""What the gates of a bank's runs said, and each rule's trend, from the JSON results that runs leave."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

RUNS_TOLD = 28


def quality_results(evidence: Path, bank: str, told_by: str) -> dict[tuple, dict]:
    """Rows by (run, gate, rule), as the version that the run `told_by` built tells them: without its own mart gate."""
    runs = []
    for file in evidence.glob("runs/*/plan.json"):
        plan = json.loads(file.read_text(encoding="utf-8"))
        gates = {
            gate: json.loads(path.read_text(encoding="utf-8"))
            for gate in ("landing", "mart")
            if (path := file.with_name(f"{gate}_gate.json")).is_file() and (gate, plan["run_id"]) != ("mart", told_by)
        }
        if plan["bank"] == bank and any("results" in gate for gate in gates.values()):
            runs.append((plan["started_at"], plan["run_id"], plan, gates))
    rows: dict[tuple, dict] = {}
    before: dict[tuple, list[dict]] = defaultdict(list)
    for _, run_id, plan, gates in sorted(runs, key=lambda run: run[:2])[-RUNS_TOLD:]:
        for gate, found in gates.items():
            for result in found.get("results", []):
                rule = result["rule"]
                row = {
                    "run_started_at": datetime.fromisoformat(plan["started_at"]).astimezone(UTC).replace(tzinfo=None),
                    "first_business_date": date.fromisoformat(plan["business_dates"][0]),
                    "business_date": date.fromisoformat(plan["as_of"]),
                    "is_gate_open": found["is_open"],
                    "rules_planned": found["planned"],
                    "rules_run": found["run"],
                    "table_name": rule["table"],
                    "rule_name_en": rule["name_en"],
                    "rule_name_zh": rule["name_zh"],
                    "dimension": rule["dimension"],
                    "severity": rule["severity"],
                    "status": result["status"],
                    "table_rows": result["table_rows"],
                    "failed_rows": result["failed_rows"],
                    "failed_ratio": _ratio(result["failed_rows"], result["table_rows"]),
                    "waiver_number": (result.get("waiver") or {}).get("number"),
                    "waived_by": (result.get("waiver") or {}).get("approved_by"),
                }
                own = before[gate, rule["id"]]
                own.append(row)
                failed = [place for place, earlier in enumerate(own) if earlier["status"] != "passed"]
                passed = sum(earlier["status"] == "passed" for earlier in own[-28:])
                row |= {
                    "previous_failed_ratio": own[-2]["failed_ratio"] if len(own) > 1 else None,
                    "runs_since_failure": len(own) - 1 - failed[-1] if failed else None,
                    "runs_of_28": len(own[-28:]),
                    "passed_of_28": passed,
                    "passed_ratio_28": _ratio(passed, len(own[-28:])),
                }
                rows[run_id, gate, rule["id"]] = row
    return rows


def _ratio(part: int, whole: int) -> Decimal | None:
    return (Decimal(part) / whole).quantize(Decimal("0.000001"), ROUND_HALF_UP) if whole else None
