"""What is in quarantine and what a person may decide on it. No value of a row is ever shown: they are personal."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

from crm_warehouse.errors import DecisionRefused
from crm_warehouse.landing import accepted_on
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality import decisions
from crm_warehouse.quality.decisions import RELEASE, Mark
from crm_warehouse.quality.held_rows import held_on, quarantine_days
from crm_warehouse.settings import Settings

UNREADABLE, ORPHAN = ".readable", ".reference_found"


def list_quarantine(settings: Settings, profile: Profile) -> list[dict]:
    """Every batch with rows in quarantine: how many by rule, and what became of them."""
    found = []
    for spec in profile.extracts:
        for day, batch, file in quarantine_days(settings, spec):
            rules = Counter(rule for rule, _ in decisions.read_marks(file))
            found.append(
                {
                    "table": spec.table,
                    "business_date": day.isoformat(),
                    "batch": batch,
                    "rows": len({row for _, row in decisions.read_marks(file)}),
                    "rules": {_short(spec, rule): count for rule, count in sorted(rules.items())},
                    "states": dict(
                        sorted(Counter(_states(settings, profile, spec, day, batch, file).values()).items())
                    ),
                }
            )
    return found


def show_quarantine(settings: Settings, profile: Profile, table: str, day: date) -> dict:
    """The rows of one batch in quarantine by their place in the source, why they are there, and what was decided."""
    spec, batch, file = _file_of(settings, profile, table, day)
    rows: dict[int, list[str]] = {}
    for rule, row in decisions.read_marks(file):
        rows.setdefault(row, []).append(_short(spec, rule))
    states = _states(settings, profile, spec, day, batch, file)
    return {
        "table": table,
        "business_date": day.isoformat(),
        "batch": batch,
        "rows": [{"source_row": row, "rules": rules, "state": states[row]} for row, rules in rows.items()],
        "decisions": [
            {**entry, "marks": [[_short(spec, rule), row] for rule, row in entry["marks"]]}
            for entry in decisions.read_decisions(file)
        ],
    }


def decide(
    settings: Settings,
    profile: Profile,
    decision: str,
    table: str,
    day: date,
    *,
    rows: list[int] | None,
    rule: str | None,
    by: str,
    reason: str,
) -> int:
    """Release or discard rows, those given or all of a rule. Returns how many; the next run acts on it."""
    if bool(rows) == bool(rule):
        raise DecisionRefused(f"say which rows to {decision}: --rows with their source rows, or --rule")
    spec, batch, file = _file_of(settings, profile, table, day)
    marks = _marks_chosen(spec, file, day, rows, rule)
    if decision == RELEASE:
        _require_releasable(profile, spec, marks)
    where = {"table": table, "business_date": day.isoformat(), "batch": batch}
    return len({row for _, row in decisions.decide(settings, spec, file, decision, marks, by, reason, where)})


def _marks_chosen(spec: Extract, file: Path, day: date, rows: list[int] | None, rule: str | None) -> list[Mark]:
    marks = decisions.read_marks(file)
    if rule:
        chosen = [mark for mark in marks if rule in (mark[0], _short(spec, mark[0]))]
        known = sorted({_short(spec, name) for name, _ in marks})
        if not chosen:
            raise DecisionRefused(
                f"{spec.table} of {day} has no rows in quarantine by that rule, only {', '.join(known)}"
            )
        return chosen
    missing = sorted(set(rows) - {row for _, row in marks})
    if missing:
        raise DecisionRefused(
            f"{spec.table} of {day} has no row {missing[0]} in quarantine; `crm-warehouse quarantine show` lists them"
        )
    return [mark for mark in marks if mark[1] in rows]


def _require_releasable(profile: Profile, spec: Extract, marks: list[Mark]) -> None:
    from expectations.landing import build_rules

    blocking = {rule.id for rule in build_rules(profile) if rule.severity == "block"}
    for rule, row in marks:
        short = _short(spec, rule)
        if rule.endswith(UNREADABLE):
            raise DecisionRefused(
                f"{spec.table}, row {row} cannot be released: {short} says that a value cannot be read; discard it or ask"
                f" the {spec.source} system for a corrected delivery"
            )
        if rule.endswith(ORPHAN):
            raise DecisionRefused(
                f"{spec.table}, row {row} cannot be released: {short} says that it refers to a row that is not accepted;"
                " release that row and this one follows, or discard it"
            )
        if rule in blocking:
            raise DecisionRefused(f"{spec.table}, row {row} cannot be released: {short} blocks, it cannot be overruled")


def _file_of(settings: Settings, profile: Profile, table: str, day: date) -> tuple[Extract, int, Path]:
    """The quarantine of the batch that is accepted for a date; of a batch replaced since there is nothing to decide."""
    spec = next((spec for spec in profile.extracts if table in (spec.table, f"{spec.source}.{spec.name}")), None)
    if spec is None:
        raise DecisionRefused(
            f"{profile.bank} has no table {table}; `crm-warehouse quarantine list` shows those with rows"
        )
    batch = accepted_on(settings, spec, day)
    file = decisions.quarantine_file(settings, spec, day, batch.number) if batch else None
    if file is None or not file.is_file():
        raise DecisionRefused(f"{spec.table} of {day} has nothing in quarantine that is in force")
    return spec, batch.number, file


def _states(settings: Settings, profile: Profile, spec: Extract, day: date, batch: int, file: Path) -> dict[int, str]:
    """What became of each row: waiting, released, discarded; `replaced` when a later batch is accepted."""
    rows = sorted({row for _, row in decisions.read_marks(file)})
    in_force = accepted_on(settings, spec, day)
    if in_force is None or in_force.number != batch:
        return dict.fromkeys(rows, "replaced")
    held = held_on(settings, profile, day)[spec.table]
    return {row: held.state_of(row) for row in rows}


def _short(spec: Extract, rule: str) -> str:
    return rule.removeprefix(f"landing.{spec.table}.")
