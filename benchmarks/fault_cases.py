"""Making one case and seeing what becomes of it, in a workspace of its own beside the campaign's bank.

A workspace shares the bank's files by hard links: nothing on the way changes a file in place. Only the damaged day is
made anew for each case.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from benchmarks.fault_bank import FaultBank, judge_day, land_day, record_of_gate
from benchmarks.fault_plan import FaultCase
from crm_warehouse.errors import CorruptionRefused, CrmWarehouseError, ExtractError
from crm_warehouse.landing import ROWS, current_batches
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.simulator.corruption.damage import corrupt, find_extract


class Workspace:
    """A copy of the bank as it stood before one business day, for one case after another of that day."""

    def __init__(self, bank: FaultBank, folder: Path, day: date) -> None:
        self.original, self.day = bank, day
        self.bank = FaultBank(folder / "sent", folder / "home", bank.first)
        self.profile: Profile = bank.profile
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
        self._renew_day()
        described = {name: getattr(case, name) for name in ("id", "kind", "way", "expected", "day_type", "seed")}
        described |= {"day": case.day.isoformat(), "magnitude": case.magnitude}
        refused = "the bank sends no extract that it is for"
        for table in case.tables:
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

    def _outcome(self, spec: Extract) -> dict:
        nothing = {"failed": {}, "set_aside": [], "rows_read": {}, "damaged_rows": 0}
        try:
            land_day(self.bank, self.profile, self.day, first_source=spec.source)
            verdict, database = judge_day(self.bank, self.profile, self.day)
        except ExtractError as problem:
            return {"stopped_at": "extract", **self._problem(problem), **nothing}
        except CrmWarehouseError as problem:
            return {"stopped_at": "landing", **self._problem(problem), **nothing}
        except Exception as problem:  # the run would stop too, but with a stack trace: shown apart
            return {"stopped_at": "crash", **self._problem(problem), **nothing}
        record = record_of_gate(verdict, database)
        record["damaged_rows"] = self._count_damaged(spec, record["set_aside"])
        return record

    def _problem(self, problem: Exception) -> dict:
        text = str(problem).replace(str(self.bank.sent), "<sent>").replace(str(self.bank.home), "<home>")
        return {"problem_class": type(problem).__name__, "problem": text[:300]}

    def _renew_day(self) -> None:
        for source in self.profile.sources:
            day = self.bank.sent / source / self.day.isoformat()
            shutil.rmtree(day, ignore_errors=True)
            _link(self.original.sent / source / self.day.isoformat(), day)
        for leftover in self.bank.sent.glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)
        for spec in self.profile.extracts:
            landed = self.bank.settings.landing / spec.source / spec.name / f"business_date={self.day}"
            shutil.rmtree(landed, ignore_errors=True)
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


def _link(source: Path, target: Path) -> None:
    if not target.exists():
        shutil.copytree(source, target, copy_function=os.link)


_WORKSPACES: dict[date, Workspace] = {}  # of this process: building one costs more than a case


def run_case(bank: FaultBank, folder: Path, case: FaultCase) -> dict:
    """Run a case in this process's workspace of its day."""
    if case.day not in _WORKSPACES:
        _WORKSPACES[case.day] = Workspace(bank, folder / f"{os.getpid()}-{case.day}", case.day)
    return _WORKSPACES[case.day].run(case)
