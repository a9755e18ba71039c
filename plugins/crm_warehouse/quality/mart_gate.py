"""The mart gate: audits the candidate file, whose very bytes are then published."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from crm_warehouse.coverage import coverage_of_marts
from crm_warehouse.files import sha256_of
from crm_warehouse.profile import Profile
from crm_warehouse.progress import Progress
from crm_warehouse.publish.candidate import SCHEMA, marts_of, prove_whole
from crm_warehouse.publish.content import describe_tables
from crm_warehouse.quality.duckdb_engine import connect
from crm_warehouse.quality.gate import GateResult, run_gate

MOST_TOLD = 3  # sentences of one rule


def run_mart_gate(
    profile: Profile, manifest: Path, candidate: Path, as_of: date, progress: Progress
) -> tuple[GateResult, dict]:
    """The gate's result, and what was audited: the candidate's sha256 and its tables with their content hashes.

    Raises PublishRefused when the file changed while it was audited.
    """
    from expectations.marts import build_rules

    sha256 = sha256_of(candidate)
    coverage = {mart: row["coverage"] for mart, row in coverage_of_marts(profile, manifest).items()}
    rules = build_rules(profile, marts_of(manifest), coverage, as_of)
    gate = run_gate("mart", candidate, SCHEMA, rules, progress)
    with connect(candidate, read_only=True) as connection:
        gate = _tell(connection, gate, {rule.id: rule.listing for rule in rules if rule.listing})
        tables = describe_tables(connection, SCHEMA)
    for name, node in marts_of(manifest).items():
        if "tells_of_runs" in node["config"]["meta"]:
            tables[name]["tells_of_runs"] = True  # versions are compared without it
    prove_whole(candidate, sha256)
    return gate, {"sha256": sha256, "tables": tables}


def _tell(connection: duckdb.DuckDBPyConnection, gate: GateResult, listings: dict[str, str]) -> GateResult:
    """The same, with what each failed rule found, in its own sentences."""
    results = []
    for result in gate.results:
        listing = listings.get(result.rule["id"]) if result.status == "failed" else None
        if listing:
            told = [sentence for (sentence,) in connection.execute(listing).fetchmany(MOST_TOLD)]
            more = f"; and {result.failed_rows - len(told)} more" if result.failed_rows > len(told) else ""
            result = replace(result, detail=f"{'; '.join(told)}{more}.")
        results.append(result)
    return replace(gate, results=results)
