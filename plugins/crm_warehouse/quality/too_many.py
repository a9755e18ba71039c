"""When too many rows are bad to set them aside: the sentence that shuts the gate names the file the fault is in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from crm_warehouse.policy import parameter
from crm_warehouse.profile import Profile
from crm_warehouse.quality.duckdb_engine import connect
from crm_warehouse.quality.gate import GateResult

SEND_AGAIN = "Ask the source system for a corrected delivery"


def too_many_set_aside(
    database: Path, profile: Profile, counts: list[dict], as_of: date, gate: GateResult
) -> str | None:
    """Quarantine is for the few: too many bad rows, or one in a file that carries money, stop the run."""
    most = parameter(profile.folder, "quarantine_max_share", as_of)
    money = {spec.table for spec in profile.extracts if any(column.control_total for column in spec.columns)}
    may_lose_last_row = {spec.table for spec in profile.extracts if spec.last_row_may_be_cut}
    for count in counts:
        # Rows rejected as they were read: of a file that carries money they refused it then.
        unreadable = max(0, count["rows_rejected"] - (count["table"] in may_lose_last_row))
        bad = count["rows_quarantined"] + (0 if count["table"] in money else unreadable)
        if bad and (bad > most * count["rows_read"] or count["table"] in money):
            why = "the file carries money" if count["table"] in money else f"more than {most:.1%} of the rows"
            said = f"{count['file']} of {count['business_date']} has {bad} bad of {count['rows_read']} rows ({why})"
            return f"the landing gate is shut: {said}: {_cause(database, profile, counts, count, gate)}. {SEND_AGAIN}"
    return None


def _cause(database: Path, profile: Profile, counts: list[dict], count: dict, gate: GateResult) -> str:
    """The rules its rows break; where they only refer to rows set aside, the file of those and the rules broken there."""
    broken = _rules_broken(database, count)
    failed = {result.rule["id"]: result.rule["name_en"] for result in gate.failures("quarantine")}
    names = sorted(failed[rule] for rule in broken if rule in failed)
    if names or not broken:
        return "; ".join(names) or "values too long to be read"
    spec = next(spec for spec in profile.extracts if spec.table == count["table"])
    rules = {f"landing.{spec.table}.{c.name}.reference_found": c.references for c in spec.columns if c.references}
    source, extract, _ = rules[min(broken)].split(".")
    parent = next(
        c for c in counts if (c["table"], c["business_date"]) == (f"{source}__{extract}", count["business_date"])
    )
    return (
        f"they refer to rows set aside in {parent['file']}, which has {parent['rows_quarantined']} bad rows:"
        f" {_cause(database, profile, counts, parent, gate)}"
    )


def _rules_broken(database: Path, count: dict) -> set[str]:
    query = (
        "select distinct rule_id from _quarantined where (source_table, business_date, batch) = (?, cast(? as date), ?)"
    )
    with connect(database, read_only=True) as connection:
        key = [count["table"], count["business_date"], count["batch"]]
        return {rule for (rule,) in connection.execute(query, key).fetchall()}
