"""What landing costs: many rows in one file, and many small files. Seconds and peak memory of each step.

    python benchmarks/landing.py [--rows 2500000] [--files 200] [--results benchmarks/results/landing.json]

Each size runs in a process of its own, with the pipeline's own functions: extract, land, landing gate and acceptance.
Twice the rows must not need more than `MOST_GROWTH_MIB` more memory while they are read and landed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "plugins"), str(PROJECT)]
DAY = date(2026, 6, 1)
MOST_GROWTH_MIB = 32
CUSTOMERS = 1000


def profile_body() -> dict[str, Any]:
    """A bank of customers and balances, written as banks write them: GB18030, `|`, a control file."""
    return {
        "bank": "bench",
        "name_en": "Benchmark Bank",
        "name_zh": "基准银行",
        "reporting_currency": "CNY",
        "timezone": "Asia/Shanghai",
        "initial_delivery_on": DAY,
        "demo_last_business_date": DAY,
        "delivery_cut_off": "02:00",
        "customer_column": "core.customers.customer_id",
        "sources": {
            "core": {
                "kind": "delimited",
                "file": "core/{business_date}/{extract}.csv",
                "encoding": "gb18030",
                "delimiter": "|",
                "control": True,
                "extracts": {
                    "customers": {
                        "delivery": "full",
                        "columns": {
                            "customer_id": {"type": "text", "key": True},
                            "customer_name": {"type": "text", "required": True, "personal": True},
                        },
                    },
                    "balances": {
                        "delivery": "full",
                        "columns": {
                            "account_id": {"type": "text", "key": True},
                            "customer_id": {
                                "type": "text",
                                "required": True,
                                "references": "core.customers.customer_id",
                            },
                            "balance_date": {"type": "date", "required": True},
                            "balance_basis": {"type": "text", "values": ["end_of_day", "monthly_average"]},
                            "balance_amount": {"type": "decimal", "required": True, "control_total": True},
                            "currency_code": {"type": "text", "required": True},
                        },
                    },
                },
            }
        },
    }


def make_bank(folder: Path, rows: int, days: int = 1) -> Any:
    """The bank below `folder`, and its deliveries of `days` dates, the same bytes each time. Returns its settings."""
    from crm_warehouse.settings import Settings

    bank = folder / "project" / "dbt_project" / "banks" / "bench"
    (bank / "policy").mkdir(parents=True)
    (bank / "extracts.yml").write_text(yaml.safe_dump(profile_body(), allow_unicode=True, sort_keys=False), "utf-8")
    (bank / "policy" / "calendar_exceptions.csv").write_text("calendar_date,is_business_day,reason\n", "utf-8")
    (bank / "policy" / "landing_thresholds.csv").write_text(
        "threshold_id,value,effective_from,owner,approved_by,decision_reference,description\n"
        "text_length_max,100,2020-01-01,bench,bench,DEC-1,Longest text\n",
        "utf-8",
    )
    (bank / "policy" / "policy_parameters.csv").write_text(
        "parameter,value,effective_from,approved_by,decision_reference,description\n"
        "quarantine_max_share,0.005,2020-01-01,data-owner,DEC-0,\n",
        "utf-8",
    )
    settings = Settings("bench", folder / "home", folder / "project", folder / "sent")
    for number in range(days):
        day = DAY + timedelta(days=number)
        _send(
            settings.source_root, day, "customers", CUSTOMERS, "'C' || lpad((n + 1)::text, 8, '0'), '王芳' || n", None
        )
        _send(
            settings.source_root,
            day,
            "balances",
            rows,
            f"'A' || lpad(n::text, 10, '0'), 'C' || lpad((n % {CUSTOMERS} + 1)::text, 8, '0'), '{day}', 'end_of_day',"
            " cast(n % 9973 as decimal(18, 2)) + 0.37, 'CNY'",
            sum((Decimal(n % 9973) + Decimal("0.37") for n in range(rows)), Decimal(0)),
        )
    return settings


def _send(root: Path, day: date, name: str, rows: int, columns: str, total: Decimal | None) -> None:
    """One file in GB18030 and its control file, written piece by piece."""
    path = root / "core" / day.isoformat() / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "|".join(profile_body()["sources"]["core"]["extracts"][name]["columns"])
    digest = hashlib.sha256()
    with path.open("wb") as file, duckdb.connect() as connection:
        found = connection.execute(f"select concat_ws('|', {columns}) from range({rows}) as numbers(n)")
        lines = [header]
        while lines:
            content = ("\n".join(lines) + "\n").encode("gb18030")
            digest.update(content)
            file.write(content)
            lines = [line for (line,) in found.fetchmany(100_000)]
    facts = {
        "file": path.name,
        "business_date": day,
        "sequence": 1,
        "rows": rows,
        "sha256": digest.hexdigest(),
        "sent_at": f"{day}T17:30:00Z",
    } | ({} if total is None else {"total_balance_amount": total})
    path.with_suffix(".ctl").write_text("".join(f"{key}={value}\n" for key, value in facts.items()), "utf-8")


@contextmanager
def _measured(steps: dict, name: str):
    started = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    steps[name] = {"seconds": round(time.perf_counter() - started, 2), "peak_mib": round(peak)}


def run_large(folder: Path, rows: int, with_gate: bool = True) -> dict:
    """One large file: read, land, and then judge and accept."""
    from crm_warehouse.extract import extract
    from crm_warehouse.landing import ACCEPTED, arriving_folder, current_batches, land
    from crm_warehouse.profile import load_profile
    from crm_warehouse.progress import silent
    from crm_warehouse.quality.landing_gate import run_landing_gate

    settings = _settings_in(folder)
    profile, steps = load_profile(settings), {}
    specs = {spec.name: spec for spec in profile.extracts}
    steps["start"] = {"seconds": 0, "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}
    root, arriving = settings.source_root, arriving_folder(settings)
    land(settings, specs["customers"], extract(profile, specs["customers"], root, DAY, arriving))
    with _measured(steps, "extract"):
        delivery = extract(profile, specs["balances"], root, DAY, arriving)
    with _measured(steps, "land"):
        land(settings, specs["balances"], delivery)
    if not with_gate:
        return {"rows": rows, "steps": steps}
    import expectations.landing  # noqa: F401  its libraries are no part of what the gate costs

    with _measured(steps, "gate_and_accept"):
        verdict = run_landing_gate(settings, profile, [DAY], settings.warehouse / "landing_gate.duckdb", silent)
        verdict.require_open()
    (batch,) = current_batches(settings, specs["balances"], [DAY])
    size = (batch.folder / batch.manifest["file"]).stat().st_size
    return {
        "rows": rows,
        "megabytes": round(size / 1e6, 1),
        "seconds": round(sum(step["seconds"] for step in steps.values()), 2),
        "steps": steps,
        "accepted_mib": round((batch.folder / ACCEPTED).stat().st_size / 2**20, 1),
    }


def run_small(folder: Path, files: int) -> dict:
    """Many small files: what reading and landing cost for each."""
    from crm_warehouse.extract import extract
    from crm_warehouse.landing import arriving_folder, land
    from crm_warehouse.profile import load_profile

    settings = _settings_in(folder)
    profile, steps = load_profile(settings), {"extract": 0.0, "land": 0.0}
    import pandas  # noqa: F401  pyarrow asks for it once; that is no part of what a file costs

    for day in (DAY + timedelta(days=n) for n in range(files // 2)):
        for spec in profile.extracts:
            started = time.perf_counter()
            delivery = extract(profile, spec, settings.source_root, day, arriving_folder(settings))
            read = time.perf_counter()
            land(settings, spec, delivery)
            steps["extract"] += read - started
            steps["land"] += time.perf_counter() - read
    return {"files": files, **{f"{name}_ms_a_file": round(1000 * cost / files, 2) for name, cost in steps.items()}}


def _settings_in(folder: Path) -> Any:
    from crm_warehouse.settings import Settings

    return Settings("bench", folder / "home", folder / "project", folder / "sent")


def measure(kind: str, rows: int, files: int = 2) -> dict:
    """Make the bank, then run one kind of measurement in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench_landing_") as name:
        make_bank(Path(name), rows, files // 2)
        command = [sys.executable, str(Path(__file__).resolve()), "--in", name, "--kind", kind]
        command += ["--rows", str(rows), "--files", str(files)]
        found = subprocess.run(command, env=os.environ, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(found.stdout.strip().splitlines()[-1])


def main() -> int:
    """Measure, keep the results, and fail when memory grows with the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_500_000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--kind", choices=["large", "read", "small"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.folder:
        if asked.kind == "small":
            print(json.dumps(run_small(asked.folder, asked.files)))
        else:
            print(json.dumps(run_large(asked.folder, asked.rows, with_gate=asked.kind == "large")))
        return 0
    once, twice = measure("large", asked.rows), measure("large", 2 * asked.rows)
    growth = max(twice["steps"][step]["peak_mib"] - once["steps"][step]["peak_mib"] for step in ("extract", "land"))
    found = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "duckdb": duckdb.__version__},
        "once": once,
        "twice": twice,
        "growth_mib": growth,
        "small_files": measure("small", 50, asked.files),
    }
    print(json.dumps(found, indent=2))
    if asked.results:
        asked.results.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    if growth > MOST_GROWTH_MIB:
        print(f"memory grows with the file: {growth} MiB more for twice the rows, at most {MOST_GROWTH_MIB}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
