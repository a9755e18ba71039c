"""What is damaged in the validation history, and the rule that must find it: (rule, SQL, rows found)."""

RESULTS = "fct_quality_results"


def one(change: str, where: str = "true") -> str:
    """SQL that changes one row."""
    return f"update {RESULTS} set {change} where rowid = (select min(rowid) from {RESULTS} where {where})"


COMPLETE, FITS, TREND = (
    f"{RESULTS}.{rule}" for rule in ("every_planned_rule_is_told", "verdict_fits_rows", "trend_counts_what_is_there")
)
PASSED = "status = 'passed'"
QUALITY_DAMAGES = {
    "a rule dropped out": (COMPLETE, f"delete from {RESULTS} where rowid = 0", None),
    "a rule broke and nobody counted it": (COMPLETE, one("status = 'error'"), None),
    "a gate said shut that was open": (COMPLETE, one("is_gate_open = false"), 1),
    "a blocking rule failed and the gate was open": (
        COMPLETE,
        one("status = 'failed', failed_rows = 1", f"{PASSED} and severity = 'block'"),
        None,
    ),
    "nothing was planned": (COMPLETE, one("rules_planned = 0"), 1),
    "failed without a bad row": (FITS, one("failed_rows = 0", "status = 'failed'"), 1),
    "passed with a bad row": (FITS, one("failed_rows = 1", PASSED), 1),
    "waived by nobody": (FITS, one("status = 'waived', waiver_number = 1", "status = 'failed'"), 1),
    "an unknown verdict": (FITS, one("status = 'skipped'", PASSED), 1),
    "more passed than there were": (TREND, one("passed_of_28 = 2, passed_ratio_28 = 2"), 1),
    "29 of the last 28": (TREND, one("runs_of_28 = 29, passed_of_28 = 29"), 1),
    "a share that is none": (TREND, one("passed_ratio_28 = 0.5"), 1),
    "a failure that does not begin anew": (TREND, one("runs_since_failure = 3", "status = 'failed'"), 1),
    "a failure that was never counted": (TREND, one("runs_since_failure = null", "status = 'failed'"), 1),
}
