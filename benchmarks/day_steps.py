"""One step of the day that `make bench` times, in a process of its own, so that its processor time, memory and bytes are its own.

    python -m benchmarks.day_steps <step> <home> <source root> <business date> [folder]

The last line of its output is what it found, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from crm_warehouse import pipeline
from crm_warehouse.build import BUILD, dbt_environment, dbt_variables
from crm_warehouse.profile import load_profile
from crm_warehouse.progress import silent
from crm_warehouse.settings import PROJECT, Settings

RUN_ID = "day"
PHASES = ("land", "landing_gate", "build", "mart_gate", "publish", "evidence")  # of a day, in this order
BESIDE = ("floor", "core", "full_refresh", "sql_alone", "dashboards")  # in the same run, to compare with
CORE = (
    "dim_customers",
    "fct_customer_aum_monthly",
    "fct_customer_tiers_monthly",
    "fct_customer_tier_history",
    "fct_customer_contributions",
    "fct_money_flows",
)  # the marts that floor.sql works out
# Of these the floor has the customers alone: of dim_customers the key.
MODELS_OF_CORE = tuple("int_customer_keys" if mart == "dim_customers" else mart for mart in CORE)


def settings_of(home: Path, source_root: Path) -> Settings:
    return Settings("reference_bank", home, PROJECT, source_root)


def do_phase(settings: Settings, phase: str, day: date) -> dict:
    """One phase of the day; what it found that its figures need."""
    if phase == "land":
        plan = pipeline.plan_run(settings, RUN_ID, day, day)
        return {
            "rows": sum(pipeline.extract_source(settings, RUN_ID, source, silent)["rows"] for source in plan["sources"])
        }
    if phase == "landing_gate":
        return {"rules": pipeline.judge_landing(settings, RUN_ID, silent)["run"]}
    if phase == "build":
        built = pipeline.build_warehouse(settings, RUN_ID, silent)
        return {"models": built["models"], "tests": built["tests"]}
    if phase == "mart_gate":
        return {"rules": pipeline.judge_marts(settings, RUN_ID, silent)["run"]}
    if phase == "publish":
        return {"version": pipeline.publish_marts(settings, RUN_ID)["version"]}
    return {"outcome": pipeline.record_evidence(settings, RUN_ID)["outcome"]}


def run_dbt_beside(settings: Settings, day: date, folder: Path, *arguments: str) -> dict:
    """dbt as the build runs it, from the same landing into another database; how long its nodes took."""
    profile = load_profile(settings)
    target = folder / "dbt"
    target.mkdir(parents=True, exist_ok=True)
    project = str(settings.project / "dbt_project")
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "--log-level-file", "none", *arguments]
    command += ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
    command += ["--log-path", str(target), "--vars", json.dumps(dbt_variables(profile))]
    database = folder / "warehouse.duckdb"
    database.unlink(missing_ok=True)
    environment = {**os.environ, **dbt_environment(settings, day), "CRM_WAREHOUSE_DATABASE": str(database)}
    subprocess.run(command, env=environment, cwd=project, stdout=subprocess.DEVNULL, check=True)
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))
    return {
        "nodes": len(results["results"]),
        "nodes_seconds": round(results["elapsed_time"], 2),
        "megabytes": round(database.stat().st_size / 1e6, 1),
    }


def do_beside(settings: Settings, step: str, day: date, folder: Path) -> dict:
    """What the day is compared with."""
    folder.mkdir(parents=True, exist_ok=True)
    if step == "floor":
        from benchmarks.day_floor import compute_floor

        return compute_floor(settings, day, folder / "floor.duckdb")
    if step == "core":
        wanted = [f"+{model}" for model in MODELS_OF_CORE]
        return run_dbt_beside(settings, day, folder, *BUILD, "--exclude-resource-type", "test", "--select", *wanted)
    if step == "full_refresh":
        return run_dbt_beside(settings, day, folder, *BUILD, "--full-refresh")
    if step == "sql_alone":
        from benchmarks.day_profile import run_sql_alone

        return run_sql_alone(settings)
    from benchmarks.dashboards import time_dashboards

    return time_dashboards(settings)


def bytes_written() -> int:
    """What this process and those it has waited for gave to the disk."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
    return int(told["write_bytes"])


def main() -> None:
    """One step; see the module."""
    step, home, source_root, day, *folder = sys.argv[1:]
    settings, business_date = settings_of(Path(home), Path(source_root)), date.fromisoformat(day)
    if step in PHASES:
        found = do_phase(settings, step, business_date)
    else:
        found = do_beside(settings, step, business_date, Path(*folder))
    print(json.dumps({**found, "written_mb": round(bytes_written() / 1e6, 1)}))


if __name__ == "__main__":
    main()
