"""The mart gate: audits the candidate file, whose very bytes are then published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from crm_warehouse.coverage import coverage_of_marts
from crm_warehouse.files import sha256_of
from crm_warehouse.profile import Profile
from crm_warehouse.progress import Progress
from crm_warehouse.publish.candidate import SCHEMA, marts_of, prove_whole
from crm_warehouse.publish.content import describe_tables
from crm_warehouse.quality.duckdb_engine import connect
from crm_warehouse.quality.gate import GateResult, run_gate


def run_mart_gate(
    profile: Profile, manifest: Path, candidate: Path, as_of: date, progress: Progress
) -> tuple[GateResult, dict]:
    """The gate's result, and what was audited: the candidate's sha256 and its tables with their content hashes.

    Raises PublishRefused when the file changed while it was audited.
    """
    from expectations.marts import build_rules

    sha256 = sha256_of(candidate)
    coverage = {mart: row["coverage"] for mart, row in coverage_of_marts(profile, manifest).items()}
    gate = run_gate("mart", candidate, SCHEMA, build_rules(profile, marts_of(manifest), coverage, as_of), progress)
    with connect(candidate, read_only=True) as connection:
        tables = describe_tables(connection, SCHEMA)
    prove_whole(candidate, sha256)
    return gate, {"sha256": sha256, "tables": tables}
