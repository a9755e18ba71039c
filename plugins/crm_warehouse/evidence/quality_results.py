"""Verdicts of the gates as rows: each run keeps its own beside its results, and a build reads those of the last runs.

evidence/runs/<run_id>/landing_gate.parquet, mart_gate.parquet      one row a rule, as in the JSON of the same name
warehouse/<bank>/quality_results.parquet                            those of the last runs together, for dbt to read

The mart gate of a run judges a file that cannot hold the verdict on itself: the next build tells it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.files import read_json, write_atomically
from crm_warehouse.quality.gate import GateResult
from crm_warehouse.settings import Settings

# The last so many of a bank, as many as versions are kept; every run stays in evidence/runs and in the log.
RUNS_TOLD = 28
SCHEMA = pa.schema(
    {
        "run_id": pa.string(),
        "run_started_at": pa.timestamp("us"),
        "first_business_date": pa.date32(),
        "business_date": pa.date32(),
        "gate": pa.string(),
        "is_gate_open": pa.bool_(),
        "rules_planned": pa.int64(),
        "rules_run": pa.int64(),
        "rule_id": pa.string(),
        "table_name": pa.string(),
        "rule_name_en": pa.string(),
        "rule_name_zh": pa.string(),
        "dimension": pa.string(),
        "severity": pa.string(),
        "status": pa.string(),
        "table_rows": pa.int64(),
        "failed_rows": pa.int64(),
        "waiver_number": pa.int64(),
        "waived_by": pa.string(),
    }
)


def keep(folder: Path, plan: dict, gate: GateResult) -> None:
    """Write a gate's verdicts beside the results of its run; no value of a row is among them."""
    of_run = {
        "run_id": plan["run_id"],
        "run_started_at": datetime.fromisoformat(plan["started_at"]).astimezone(UTC).replace(tzinfo=None),
        "first_business_date": plan["business_dates"][0],
        "business_date": plan["as_of"],
        "gate": gate.gate,
        "is_gate_open": gate.is_open,
        "rules_planned": gate.planned,
        "rules_run": gate.run,
    }
    for name in ("first_business_date", "business_date"):
        of_run[name] = datetime.fromisoformat(of_run[name]).date()
    rows = [
        of_run
        | {
            "rule_id": result.rule["id"],
            "table_name": result.rule["table"],
            "rule_name_en": result.rule["name_en"],
            "rule_name_zh": result.rule["name_zh"],
            "dimension": result.rule["dimension"],
            "severity": result.rule["severity"],
            "status": result.status,
            "table_rows": result.table_rows,
            "failed_rows": result.failed_rows,
            "waiver_number": result.waiver and result.waiver["number"],
            "waived_by": result.waiver and result.waiver["approved_by"],
        }
        for result in gate.results
    ]
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), buffer)
    write_atomically(folder / f"{gate.gate}_gate.parquet", buffer.getvalue().to_pybytes())


def quality_results_path(settings: Settings) -> Path:
    return settings.warehouse / "quality_results.parquet"


def gather(settings: Settings) -> Path:
    """Write the verdicts of the bank's last runs as one file for the build to read; its path."""
    files = [
        file
        for run in _last_runs(settings)
        for file in (run / "landing_gate.parquet", run / "mart_gate.parquet")
        if file.is_file()
    ]
    path = quality_results_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.concat_tables([SCHEMA.empty_table(), *map(pq.read_table, files)]), path)
    return path


def _last_runs(settings: Settings) -> list[Path]:
    """Folders of the bank's last runs that judged anything, oldest first."""
    judged = {file.parent for file in settings.evidence.glob("runs/*/*_gate.parquet")}
    plans = [(read_json(folder / "plan.json"), folder) for folder in judged if (folder / "plan.json").is_file()]
    of_bank = [(plan["started_at"], plan["run_id"], folder) for plan, folder in plans if plan["bank"] == settings.bank]
    return [folder for _, _, folder in sorted(of_bank)[-RUNS_TOLD:]]
