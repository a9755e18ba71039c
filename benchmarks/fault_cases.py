"""Making one case and seeing what becomes of it, in a workspace of its own beside the campaign's bank.

A workspace shares the bank's files by hard links: nothing on the way changes a file in place. Of the damaged day only the
damaged extract is extracted and landed anew; the others are the batches that the clean day landed.

The gate is deterministic, so a rule that reads nothing of the damaged table says what it said on the clean day: only those
that name the table in their SQL are asked again, with those that failed on the clean day, whose rows must be set aside
once more. `whole` asks all of all; tests/faults holds the two to be equal.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

import expectations.landing
from benchmarks.fault_bank import FaultBank, judge_day, land_day, record_of_gate
from benchmarks.fault_plan import EVENTS_MIN, ROWS_MIN, FaultCase
from crm_warehouse.errors import CorruptionRefused, CrmWarehouseError, ExtractError
from crm_warehouse.landing import ACCEPTED, ROWS, current_batches
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.progress import silent
from crm_warehouse.quality.landing_gate import judge_batches
from crm_warehouse.quality.rule import Rule
from crm_warehouse.simulator.corruption.catalogue import find_kind
from crm_warehouse.simulator.corruption.damage import corrupt, find_extract
from crm_warehouse.simulator.corruption.kind import EVERY_EXTRACT

HISTORY = re.compile(r"\b(past\.|_deliveries\b|_totals\b|_statistics\b|_learned\b|_thresholds\b)")


class Workspace:
    """A copy of the bank as it stood before one business day, for one case after another of that day."""

    def __init__(self, bank: FaultBank, folder: Path, clean: dict, whole: bool = False) -> None:
        self.original, self.clean, self.whole = bank, clean, whole
        self.day = day = date.fromisoformat(clean["day"])
        self.bank = FaultBank(folder / "sent", folder / "home", bank.first)
        self.profile: Profile = bank.profile
        self.rules = expectations.landing.build_rules(self.profile)
        shutil.rmtree(folder, ignore_errors=True)
        for spec in self.profile.extracts:
            sent_days = bank.sent / spec.source
            for earlier in (path for path in sent_days.iterdir() if path.name < day.isoformat()):
                _link(earlier, self.bank.sent / spec.source / earlier.name)
            landed = bank.settings.landing / spec.source / spec.name
            for earlier in landed.iterdir():
                if earlier.name < f"business_date={day}":
                    _link(earlier, self.bank.settings.landing / spec.source / spec.name / earlier.name)

    def run(self, case: FaultCase) -> dict:
        """Damage the day as the case says, extract, land and judge it. The record of what happened."""
        self._renew_sent()
        described = {name: getattr(case, name) for name in ("id", "kind", "way", "expected", "day_type", "seed")}
        described |= {"day": case.day.isoformat(), "magnitude": case.magnitude}
        refused = "the bank sends no extract that it is for"
        for table in case.tables:
            if self._is_too_small(case, table):
                refused = "too few rows came of it for one more or less to be noticed"
                continue
            try:
                corrupt(
                    self.profile.extracts,
                    self.bank.sent,
                    case.kind,
                    self.day,
                    table,
                    case.magnitude,
                    case.seed,
                    case.way,
                )
            except CorruptionRefused as problem:
                refused = str(problem)
                continue
            spec = find_extract(self.profile.extracts, table)
            return {**described, "table": spec.table, **self._outcome(spec)}
        return {**described, "refused": refused}

    def _is_too_small(self, case: FaultCase, table: str) -> bool:
        spec = find_extract(self.profile.extracts, table)
        rows = self.clean["rows_read"].get(spec.table, 0)
        least = ROWS_MIN if spec.delivery == "full" else EVENTS_MIN
        return find_kind(case.kind).applies_to == EVERY_EXTRACT and rows < least

    def _outcome(self, spec: Extract) -> dict:
        nothing = {"failed": {}, "set_aside": [], "rows_read": {}, "damaged_rows": 0}
        self._renew_landing(spec)
        try:
            land_day(self.bank, self.profile, self.day, None if self.whole else spec)
            record = self._judged_whole() if self.whole else self._judged(spec)
        except ExtractError as problem:
            return {"stopped_at": "extract", **self._problem(problem), **nothing}
        except CrmWarehouseError as problem:
            return {"stopped_at": "landing", **self._problem(problem), **nothing}
        except Exception as problem:  # the run would stop too, but with a stack trace: shown apart
            return {"stopped_at": "crash", **self._problem(problem), **nothing}
        record["damaged_rows"] = self._count_damaged(spec, record["set_aside"])
        return record

    def _judged_whole(self) -> dict:
        return record_of_gate(*judge_day(self.bank, self.profile, self.day))

    def _judged(self, damaged: Extract) -> dict:
        """The gate's record, from the rules that can say something else than on the clean day."""
        known = {spec.table for spec in self.profile.extracts}
        asked = [
            rule for rule in self.rules if damaged.table in tables_of(rule, known) or rule.id in self.clean["failed"]
        ]
        needed = self._with_relatives({damaged.table}.union(*(tables_of(rule, known) for rule in asked)))
        # What came before is read for the tables of rules that look back; the others' rows of the day are enough.
        back = set().union(*(tables_of(rule, known) for rule in asked if HISTORY.search(said_by(rule))))
        extracts = tuple(
            spec if spec.table in back else replace(spec, expect={})
            for spec in self.profile.extracts
            if spec.table in needed
        )
        profile = replace(self.profile, extracts=extracts)
        settings = self.bank.settings
        batches = {spec.table: current_batches(settings, spec, [self.day]) for spec in profile.extracts}
        database = settings.warehouse / "landing_gate.duckdb"
        record = record_of_gate(judge_batches(settings, profile, batches, asked, database, silent), database)
        return record | {
            "planned": self.clean["planned"] - len(asked) + record["planned"],
            "rows_read": self.clean["rows_read"] | record["rows_read"],
        }

    def _with_relatives(self, tables: set[str]) -> set[str]:
        """With the tables that refer to them, and so on, whose rows follow a row set aside; and those that these refer to."""
        pairs = {
            (spec.table, "__".join(column.references.split(".")[:2]))
            for spec in self.profile.extracts
            for column in spec.columns
            if column.references
        }
        while more := {child for child, parent in pairs if parent in tables} - tables:
            tables = tables | more
        while more := {parent for child, parent in pairs if child in tables} - tables:
            tables = tables | more
        return tables

    def _problem(self, problem: Exception) -> dict:
        text = str(problem).replace(str(self.bank.sent), "<sent>").replace(str(self.bank.home), "<home>")
        return {"problem_class": type(problem).__name__, "problem": text[:300]}

    def _renew_sent(self) -> None:
        for source in self.profile.sources:
            day = self.bank.sent / source / self.day.isoformat()
            shutil.rmtree(day, ignore_errors=True)
            _link(self.original.sent / source / self.day.isoformat(), day)
        for leftover in self.bank.sent.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _renew_landing(self, damaged: Extract) -> None:
        """The day as it landed undamaged and before it was accepted, without what is damaged."""
        for spec in self.profile.extracts:
            landed = Path(spec.source) / spec.name / f"business_date={self.day}"
            shutil.rmtree(self.bank.settings.landing / landed, ignore_errors=True)
            if not self.whole and spec != damaged:
                _link(self.original.settings.landing / landed, self.bank.settings.landing / landed, but=ACCEPTED)
        shutil.rmtree(self.bank.settings.quarantine, ignore_errors=True)

    def _count_damaged(self, spec: Extract, groups: list[dict]) -> int:
        """How many rows landed that the undamaged delivery does not have; notes in each group how many it set aside.

        A row that came twice is one too many: of equal rows those in quarantine count as the damaged ones.
        """
        found, clean = (self._rows(bank, spec) for bank in (self.bank, self.original))
        for group in groups:
            group["in_damaged_table"] = group["table"] == spec.table
        wanted = {row: n for n, g in enumerate(groups) if g["in_damaged_table"] for row in g["source_rows"]}
        excess = Counter(found.values()) - Counter(clean.values())
        total = sum(excess.values())
        for row in sorted(found, key=lambda row: row not in wanted):
            content = found[row]
            if excess.get(content, 0) > 0:
                excess[content] -= 1
                if row in wanted:
                    groups[wanted[row]]["damaged"] += 1
        for group in groups:
            del group["source_rows"], group["in_damaged_table"]
        return total

    def _rows(self, bank: FaultBank, spec: Extract) -> dict[int, int]:
        """Source row to a hash of its content, of the batch in force."""
        batches = current_batches(bank.settings, spec, [self.day])
        if not batches:
            return {}
        rows = pq.read_table(batches[0].folder / ROWS).to_pandas()
        content = pd.util.hash_pandas_object(rows.drop(columns="_source_row"), index=False)
        return dict(zip(rows["_source_row"].tolist(), content.tolist(), strict=True))


def tables_of(rule: Rule, known: set[str]) -> set[str]:
    """Tables that a rule's SQL names, its own among them: what it reads is among these."""
    return (known & set(re.findall(r"\w+", said_by(rule)))) | {rule.table}


def said_by(rule: Rule) -> str:
    """All SQL of a rule."""
    query = getattr(rule.expectation, "unexpected_rows_query", "")
    return " ".join(str(part) for part in (query, rule.bad_rows, rule.missing, rule.listing) if part)


def _link(source: Path, target: Path, but: str = "") -> None:
    if not target.exists():
        shutil.copytree(source, target, copy_function=os.link, ignore=shutil.ignore_patterns(but) if but else None)


_WORKSPACES: dict[date, Workspace] = {}  # of this process: building one costs more than a case


def run_case(bank: FaultBank, folder: Path, clean: dict, case: FaultCase) -> dict:
    """Run a case in this process's workspace of its day, of which `clean` is the record."""
    if case.day not in _WORKSPACES:
        _WORKSPACES[case.day] = Workspace(bank, folder / f"{os.getpid()}-{case.day}", clean)
    return _WORKSPACES[case.day].run(case)
