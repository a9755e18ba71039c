"""How each rule fared in the runs before: small digests beside each report, and those of the last runs read."""

from __future__ import annotations

from pathlib import Path

from crm_warehouse.files import read_json

DIGEST, VERDICTS = "digest.json", "verdicts.json"
KEPT = 28
GATES = ("landing_gate", "mart_gate")


def digest_of(summary: dict) -> dict:
    """How a run ended and how many rules of each gate passed: what the list of reports shows."""
    results = summary["results"]
    gates = {
        name: {count: results[name][count] for count in ("planned", "run", "passed")}
        for name in GATES
        if "planned" in results.get(name, {})
    }
    kept = ("run_id", "bank", "as_of", "started_at", "outcome", "problem")
    return {**{name: summary[name] for name in kept}, "gates": gates}


def verdicts_of(summary: dict) -> dict[str, list]:
    """`{rule: [status, bad rows]}` of every rule that the run came to."""
    gates = [summary["results"].get(name, {}).get("results", []) for name in GATES]
    return {row["rule"]["id"]: [row["status"], row["failed_rows"]] for gate in gates for row in gate}


def read_digests(site: Path) -> list[dict]:
    """The digest of every report that is kept, oldest first, each with its `folder`."""
    digests = [{**read_json(file), "folder": file.parent.name} for file in site.glob(f"*/{DIGEST}")]
    return sorted(digests, key=lambda digest: (digest["started_at"], digest["folder"]))


def trends_of(site: Path, earlier: list[dict], verdicts: dict[str, list]) -> dict[str, list[dict | None]]:
    """`{rule: [its verdict in each run]}`: `earlier` runs, then this one; None where a run did not come to it.

    Rules of this run come first.
    """
    runs = [read_json(site / digest["folder"] / VERDICTS) for digest in earlier] + [verdicts]
    rules = dict.fromkeys([*verdicts, *sorted({rule for run in runs for rule in run})])
    return {
        rule: [{"status": run[rule][0], "rows": run[rule][1]} if rule in run else None for run in runs]
        for rule in rules
    }
