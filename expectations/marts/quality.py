"""What is told of runs: every planned rule of a run is there, and the trend is that of the rows beside it."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

RESULTS = "fct_quality_results"


def build_rules() -> Iterator[Rule]:
    """Rules of the validation history."""
    of_gate = f"from marts.{RESULTS} as other where other.run_id = checked.run_id and other.gate = checked.gate"
    yield mart_rule(
        "every_planned_rule_is_told",
        RESULTS,
        f"""checked.rules_planned <= 0 or (select count(*) {of_gate}) <> checked.rules_planned
            or (select count(*) {of_gate} and other.status <> 'error') <> checked.rules_run
            or checked.is_gate_open <> (
                checked.rules_run = checked.rules_planned
                and not exists (select 1 {of_gate} and other.severity = 'block' and other.status = 'failed')
            )""",
        name_en="Of each run and gate every planned rule is told, and the gate's verdict follows from them",
        name_zh="每次运行、每个关口的计划规则全部列出，关口结论与之相符",
        reason="A rule that drops out of the history looks as if it had never failed.",
        dimension="completeness",
        severity="warn",
        owner="data-governance-office",
    )
    yield mart_rule(
        "verdict_fits_rows",
        RESULTS,
        """checked.status not in ('passed', 'failed', 'waived', 'error') or checked.table_rows < 0
            or (checked.failed_rows > 0) <> (checked.status in ('failed', 'waived'))
            or (checked.waiver_number is not null) <> (checked.status = 'waived')
            or (checked.waived_by is not null) <> (checked.status = 'waived')""",
        name_en="A rule failed exactly where it found bad rows, and what was waived says by whom",
        name_zh="有违规记录方为失败，豁免须列明批准人",
        reason="A verdict that its counts do not bear out proves nothing.",
        severity="warn",
        owner="data-governance-office",
    )
    yield mart_rule(
        "trend_counts_what_is_there",
        RESULTS,
        """checked.runs_of_28 not between 1 and 28 or checked.passed_of_28 not between 0 and checked.runs_of_28
            or abs(checked.passed_ratio_28 * checked.runs_of_28 - checked.passed_of_28) > 0.0001
            or coalesce((checked.runs_since_failure = 0) <> (checked.status <> 'passed'), checked.status <> 'passed')""",
        name_en="The trend is a share of the runs there were, and begins anew when a rule does not pass",
        name_zh="趋势以实际运行次数为分母，规则未通过时重新计数",
        reason="Whoever reads a trend decides by it whether a rule is to be trusted.",
        severity="warn",
        owner="data-governance-office",
    )
