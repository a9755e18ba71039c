"""What became of a case, judged from what was recorded of it: nothing here runs anything.

A record holds: `stopped_at` (extract, landing, crash, or None when the landing gate judged the day), `failed` (rule id
to severity, status, rows), `set_aside` (rows by the exact set of rules that want them aside: table, rules, rows, and how
many of them are damaged), `rejected` and `rows_read` by table, `damaged_rows`. The clean record is that of the same day undamaged: a
rule that fails anyway does not count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
STRENGTH = ("unnoticed", "warned", "quarantined", "blocked")


@dataclass(frozen=True)
class Judge:
    """Judges records. `money` are tables of which no row may be set aside, `most` is the share that may be of others."""

    clean: dict[str, Record]  # by business day
    money: frozenset[str]
    most: float

    def new_failures(self, record: Record, without: frozenset[str] = frozenset()) -> dict[str, dict]:
        """Rules that failed, and did not fail on the undamaged day."""
        usual = self.clean[record["day"]]["failed"]
        return {rule: body for rule, body in record["failed"].items() if rule not in usual and rule not in without}

    def outcome(self, record: Record, without: frozenset[str] = frozenset()) -> str:
        """blocked, quarantined, warned or unnoticed; `without` are rules taken as if they were not there."""
        if record["stopped_at"]:
            return "blocked"
        failed = self.new_failures(record, without)
        if any(body["severity"] == "block" or body["status"] == "error" for body in failed.values()):
            return "blocked"
        if self._too_many(record, without) and not self._too_many(self.clean[record["day"]]):
            return "blocked"
        if self._more_set_aside(record, without):
            return "quarantined"
        return "warned" if failed else "unnoticed"

    def is_caught(self, record: Record, without: frozenset[str] = frozenset()) -> bool:
        """Whether what happened is at least what should: see the module's first lines. `accept` must go unnoticed."""
        outcome = self.outcome(record, without)
        if record["expected"] == "accept":
            return outcome == "unnoticed"
        if record["expected"] == "quarantine":
            return outcome == "blocked" or (
                outcome == "quarantined" and self.damaged_set_aside(record, without) >= record["damaged_rows"]
            )
        return STRENGTH.index(outcome) >= STRENGTH.index({"block": "blocked", "warn": "warned"}[record["expected"]])

    def damaged_set_aside(self, record: Record, without: frozenset[str] = frozenset()) -> int:
        rejected = record.get("rejected", {}).get(record["table"], 0)
        return rejected + sum(group["damaged"] for group in _groups(record, without))

    def caught_by(self, record: Record) -> list[str]:
        """What noticed it: rule ids, or the error that stopped it before the gate."""
        if record["stopped_at"]:
            return [f"({record['stopped_at']}) {record['problem_class']}"]
        return sorted(self.new_failures(record))

    def _too_many(self, record: Record, without: frozenset[str] = frozenset()) -> bool:
        rows = _rows_by_table(record, without)
        return any(
            table in self.money or number > self.most * record["rows_read"].get(table, 0)
            for table, number in rows.items()
            if number
        )

    def _more_set_aside(self, record: Record, without: frozenset[str]) -> bool:
        usual = _rows_by_table(self.clean[record["day"]])
        return any(number > usual.get(table, 0) for table, number in _rows_by_table(record, without).items())


def _groups(record: Record, without: frozenset[str]) -> Iterable[dict]:
    return (group for group in record["set_aside"] if set(group["rules"]) - without)


def _rows_by_table(record: Record, without: frozenset[str] = frozenset()) -> dict[str, int]:
    rows: dict[str, int] = {}
    rows |= record.get("rejected", {})
    for group in _groups(record, without):
        rows[group["table"]] = rows.get(group["table"], 0) + group["rows"]
    return rows


def wilson(caught: int, cases: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share: honest for few cases, and where all or none are caught."""
    if not cases:
        return (0.0, 1.0)
    share, square = caught / cases, z * z
    middle = (share + square / (2 * cases)) / (1 + square / cases)
    half = z * math.sqrt(share * (1 - share) / cases + square / (4 * cases * cases)) / (1 + square / cases)
    return (max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True)
class Ablation:
    """What each rule is worth. `alone`: cases that only it catches; `redundant`: it fired, and never alone."""

    untested: list[str]
    alone: dict[str, list[str]]
    redundant: list[str]


def ablate(judge: Judge, records: Iterable[Record], planned: dict[str, frozenset[str]]) -> Ablation:
    """Take each rule, or group of rules, away in turn. `planned`: name to the ids of its rules."""
    records = [record for record in records if record["expected"] != "accept" and not record["stopped_at"]]
    fired = {record["id"]: frozenset(judge.new_failures(record)) for record in records}
    caught = [record for record in records if judge.is_caught(record)]
    alone: dict[str, list[str]] = {}
    for name, rules in planned.items():
        lost = [r["id"] for r in caught if fired[r["id"]] & rules and not judge.is_caught(r, rules)]
        if lost:
            alone[name] = lost
    ever = frozenset().union(*fired.values())
    untested = sorted(name for name, rules in planned.items() if not rules & ever)
    redundant = sorted(name for name, rules in planned.items() if rules & ever and name not in alone)
    return Ablation(untested, alone, redundant)


def by_principle(rules: Iterable[str]) -> dict[str, frozenset[str]]:
    """Rules of one principle together: the last part of their ids (`key_unique`, `known_code`)."""
    groups: dict[str, set[str]] = {}
    for rule in rules:
        groups.setdefault(rule.rsplit(".", 1)[-1], set()).add(rule)
    return {name: frozenset(ids) for name, ids in groups.items()}
