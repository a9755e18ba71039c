"""Running a gate: every planned rule is evaluated, or the gate fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from pathlib import Path

from crm_warehouse.errors import GateFailed
from crm_warehouse.progress import Progress
from crm_warehouse.quality.duckdb_engine import connect, open_database
from crm_warehouse.quality.rule import Rule

PASSED, WAIVED = "passed", "waived"


@dataclass(frozen=True)
class RuleResult:
    """Verdict of one rule. `failed_rows` counts rows against it; no value of a row is ever kept."""

    rule: dict[str, str]
    status: str  # passed, failed, waived, or error
    table_rows: int
    failed_rows: int
    detail: str = ""
    waiver: dict | None = None  # of a waived rule: number, asked_by, approved_by, expires_on


@dataclass(frozen=True)
class GateResult:
    """What a gate planned, ran and found."""

    gate: str
    planned: int
    results: list[RuleResult] = field(default_factory=list)
    # GX's own results by table, for its Data Docs; they carry ids and times of their own.
    validations: list = field(default_factory=list, repr=False, compare=False)

    @property
    def run(self) -> int:
        return sum(result.status != "error" for result in self.results)

    @property
    def passed(self) -> int:
        return sum(result.status == PASSED for result in self.results)

    def failures(self, *severities: str) -> list[RuleResult]:
        return [
            r
            for r in self.results
            if r.status not in (PASSED, WAIVED) and (not severities or r.rule["severity"] in severities)
        ]

    @property
    def is_open(self) -> bool:
        """Whether the data may pass: all that was planned was evaluated, and nothing that blocks failed."""
        return self.planned > 0 and self.run == self.planned == len(self.results) and not self.failures("block")

    def to_json(self) -> dict:
        counts = {"planned": self.planned, "run": self.run, "passed": self.passed, "is_open": self.is_open}
        return {"gate": self.gate, **counts, "results": [asdict(result) for result in self.results]}

    def require_open(self) -> None:
        """Raise GateFailed with one sentence when the gate is shut."""
        if self.is_open:
            return
        blocking = [r for r in self.results if r.status == "error"] + self.failures("block")
        if not blocking:
            raise GateFailed(
                f"the {self.gate} gate ran {self.run} of {self.planned} planned checks: nothing passes unchecked"
            )
        first = blocking[0]
        more = f" (and {len(blocking) - 1} more rules)" if len(blocking) > 1 else ""
        raise GateFailed(
            f"the {self.gate} gate is shut: rule {first.rule['id']} ({first.rule['name_en']}) on {first.rule['table']}"
            f" found {first.failed_rows} bad of {first.table_rows} rows{more}. {first.detail}"
            f" {first.rule['on_failure']}"
        )


def run_gate(gate: str, database: Path, schema: str, rules: Sequence[Rule], progress: Progress) -> GateResult:
    """Evaluate `rules` on the tables of `schema` in a DuckDB file, read-only and inside the engine."""
    if len({rule.id for rule in rules}) != len(rules):
        raise GateFailed(f"the {gate} gate has two rules of one id: every rule needs its own")
    outcome = GateResult(gate=gate, planned=len(rules))
    rows = _count_rows(database, schema)
    by_table = [
        (table, list(group)) for table, group in groupby(sorted(rules, key=lambda r: r.table), lambda r: r.table)
    ]
    with open_database(database) as (context, datasource):
        for done, (table, table_rules) in enumerate(by_table):
            progress(table, done, len(by_table))
            verdicts = {}
            if table in rows:
                validation = _validate(context, datasource, schema, table, table_rules)
                outcome.validations.append(validation)
                verdicts = {found.expectation_config.meta["rule_id"]: found for found in validation.results}
            for rule in table_rules:
                outcome.results.append(_judge(rule, verdicts.get(rule.id), rows.get(table, 0)))
    progress("done", len(by_table), len(by_table))
    return _count_failed_rows(database, schema, outcome, {rule.id: rule for rule in rules})


def _count_rows(database: Path, schema: str) -> dict[str, int]:
    with connect(database, read_only=True) as connection:
        query = "select table_name from information_schema.tables where table_schema = ?"
        tables = [name for (name,) in connection.execute(query, [schema]).fetchall()]
        return {name: connection.execute(f'select count(*) from "{schema}"."{name}"').fetchone()[0] for name in tables}


def _validate(context, datasource, schema: str, table: str, rules: list[Rule]):
    import great_expectations as gx

    asset = datasource.add_table_asset(name=table, table_name=table, schema_name=schema)
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    expectations = []
    for rule in rules:
        expectation = (
            rule.expectation.model_copy() if hasattr(rule.expectation, "model_copy") else rule.expectation.copy()
        )
        expectation.meta = {"rule_id": rule.id}
        expectations.append(expectation)
    suite = context.suites.add(gx.ExpectationSuite(name=table, expectations=expectations))
    return batch.validate(suite, result_format="BASIC")


def _judge(rule: Rule, verdict, rows: int) -> RuleResult:
    if verdict is None:
        return RuleResult(rule.describe(), "error", rows, 0, f"{rule.table} is not there to be checked.")
    errors = _exceptions(verdict.exception_info)
    if errors:
        return RuleResult(rule.describe(), "error", rows, 0, f"the check itself failed: {errors[0]}")
    status = "passed" if verdict.success else "failed"
    observed = verdict.result.get("unexpected_count", 0) or 0
    return RuleResult(rule.describe(), status, rows, 0 if verdict.success else max(observed, 1))


def _exceptions(info: dict) -> list[str]:
    """Messages of what was raised; GX gives one dictionary, or one for each metric that failed."""
    entries = [info] if "raised_exception" in info else list(info.values())
    return [_without_values(str(e.get("exception_message", ""))) for e in entries if e.get("raised_exception")]


def _without_values(message: str) -> str:
    """First line of an error raised before any row was read; of any other only its kind: it may quote a value."""
    line = (message.splitlines() or [""])[0]
    before_rows = ("BinderException", "CatalogException", "ParserException")
    return line if any(kind in line for kind in before_rows) else line.split(":")[0]


def _count_failed_rows(database: Path, schema: str, outcome: GateResult, rules: dict[str, Rule]) -> GateResult:
    """GX stops fetching unexpected rows at a limit, so failed rules of our own predicates are counted in full."""
    counted = []
    with connect(database, read_only=True) as connection:
        connection.execute(f'set schema = "{schema}"')
        for result in outcome.results:
            rule = rules[result.rule["id"]]
            if result.status == "failed" and (rule.bad_rows or rule.missing):
                query = f'select count(*) from "{rule.table}" as checked where {rule.bad_rows}'
                query = f"select count(*) from ({rule.missing})" if rule.missing else query
                found = connection.execute(query).fetchone()[0]
                result = RuleResult(result.rule, result.status, result.table_rows, found, result.detail)
            counted.append(result)
    return replace(outcome, results=counted)
