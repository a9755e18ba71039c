"""Every file as declared: form, types, keys, references, control facts; the same bytes again."""

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__
from simulated_files import DELIVERIES, EXTRACTS, INITIAL, LAST, PATTERNS, SIMULATION, data_path, read, tree_digest

from crm_warehouse.settings import PROJECT
from crm_warehouse.simulator import Simulation, delivery_dates, simulate


def test_a_delivery_comes_on_the_initial_date_and_then_on_every_business_day() -> None:
    assert (INITIAL, DELIVERIES[1], LAST) == (date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 30))
    assert all(day.weekday() < 5 for day in DELIVERIES[1:])
    assert date(2026, 6, 19) not in DELIVERIES, "Dragon Boat festival"
    assert len(DELIVERIES) == 22


def test_every_declared_file_is_there_and_no_other(simulated_bank: Path) -> None:
    expected = {data_path(simulated_bank, name, day) for name in EXTRACTS for day in DELIVERIES}
    expected |= {path.with_suffix(".ctl") for path in expected} | {simulated_bank / "simulation.json"}
    assert {path for path in simulated_bank.rglob("*") if path.is_file()} == expected


@pytest.mark.parametrize("name", EXTRACTS)
def test_columns_come_in_the_declared_order_with_declared_types_and_values(name: str, frames: dict) -> None:
    columns = EXTRACTS[name][1]["columns"]
    for day, frame in frames[name].items():
        assert list(frame.columns) == list(columns), day
        for column, declared in columns.items():
            values = frame[column]
            if declared.get("required") or declared.get("key"):
                assert values.notna().all(), (day, column)
            seen = set(values.dropna())
            wrong = [value for value in seen if not re.fullmatch(PATTERNS[declared["type"]], value)]
            assert not wrong, (day, column, wrong[:3])
            assert seen <= set(declared.get("values", seen)), (day, column)


@pytest.mark.parametrize("name", EXTRACTS)
def test_keys_are_unique_in_each_delivery_and_over_all_events(name: str, frames: dict, everything: dict) -> None:
    keys = [column for column, declared in EXTRACTS[name][1]["columns"].items() if declared.get("key")]
    for day, frame in frames[name].items():
        assert not keys or not frame.duplicated(keys).any(), day
    assert not keys or not everything[name].duplicated(keys).any()


@pytest.mark.parametrize("name", EXTRACTS)
def test_references_resolve_within_their_delivery(name: str, frames: dict) -> None:
    for column, declared in EXTRACTS[name][1]["columns"].items():
        if "references" in declared:
            source, extract, target = declared["references"].split(".")
            for day, frame in frames[name].items():
                missing = set(frame[column].dropna()) - set(frames[f"{source}.{extract}"][day][target])
                assert not missing, (day, column, sorted(missing)[:3])


@pytest.mark.parametrize("name", EXTRACTS)
def test_the_control_file_vouches_for_its_data_file(name: str, simulated_bank: Path, frames: dict) -> None:
    columns = EXTRACTS[name][1]["columns"]
    for day, frame in frames[name].items():
        path = data_path(simulated_bank, name, day)
        expected = {
            "file": path.name,
            "business_date": day.isoformat(),
            "sequence": "1",
            "rows": str(len(frame)),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "sent_at": f"{day.isoformat()}T17:30:00Z",
        }
        for column in (column for column, declared in columns.items() if declared.get("control_total")):
            expected[f"total_{column}"] = f"{sum(map(Decimal, frame[column]), Decimal('0.00')):.2f}"
        lines = path.with_suffix(".ctl").read_text(encoding="utf-8").splitlines()
        assert dict(line.split("=", 1) for line in lines) == expected
        assert path.with_suffix(".ctl").stat().st_mtime_ns >= path.stat().st_mtime_ns


def test_names_need_gb18030_and_would_break_gbk(everything: dict) -> None:
    names = "".join(everything["core.customers"]["customer_name"])
    with pytest.raises(UnicodeEncodeError):
        names.encode("gbk")
    assert names.encode("gb18030").decode("gb18030") == names


def test_the_same_seed_and_size_give_the_same_bytes(simulated_bank: Path, tmp_path: Path) -> None:
    assert simulate(tmp_path / "source_systems", SIMULATION, tmp_path / "ground_truth")
    assert tree_digest(tmp_path) == tree_digest(simulated_bank.parent)


def test_a_second_call_writes_nothing(simulated_bank: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in simulated_bank.rglob("*")}
    assert not simulate(simulated_bank, SIMULATION, simulated_bank.parent / "ground_truth")
    assert {path: path.stat().st_mtime_ns for path in simulated_bank.rglob("*")} == before


def test_another_seed_or_an_unfinished_folder_is_written_anew(tmp_path: Path) -> None:
    small = Simulation(customers=100, initial_delivery_on=date(2025, 12, 31), last_business_date=date(2026, 1, 6))
    assert simulate(tmp_path, small, tmp_path / "truth")
    digest = tree_digest(tmp_path)
    assert simulate(tmp_path, replace(small, seed=1), tmp_path / "truth")
    assert tree_digest(tmp_path) != digest
    (tmp_path / "simulation.json").unlink()
    (tmp_path / "core" / "2026-01-31").mkdir()
    (tmp_path / "core" / "2026-01-31" / "customers.csv").write_text("left over")
    assert simulate(tmp_path, small, tmp_path / "truth")
    assert tree_digest(tmp_path) == digest


def test_files_of_others_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    small = Simulation(customers=100, initial_delivery_on=date(2025, 12, 31), last_business_date=date(2026, 1, 6))
    simulate(tmp_path, small, tmp_path / "truth")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_progress_counts_up_to_all_deliveries(tmp_path: Path) -> None:
    small = Simulation(customers=100, initial_delivery_on=date(2025, 12, 31), last_business_date=date(2026, 1, 6))
    calls: list[tuple[str, int, int]] = []
    simulate(tmp_path, small, tmp_path / "truth", lambda *call: calls.append(call))
    assert calls[-1] == ("deliveries written", len(delivery_dates(small)), len(delivery_dates(small)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"customers": 99},
        {"history_from": date(2025, 1, 2)},
        {"history_from": date(2023, 12, 1)},
        {"volatile_band_sigma": 0.0},
        {"transaction_months": 0},
        {"initial_delivery_on": date(2026, 5, 30)},
        {"last_business_date": date(2026, 5, 31)},
        {"last_business_date": date(2026, 6, 28)},
        {"last_business_date": date(2027, 1, 1)},
    ],
)
def test_a_simulation_that_cannot_be_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must|needs|needed"):
        Simulation(**wrong)


def test_the_bytes_do_not_depend_on_how_many_processes_write_them(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("crm_warehouse.simulator.simulation.BLOCK", 150)
    small = Simulation(customers=310, initial_delivery_on=date(2025, 12, 31), last_business_date=date(2026, 1, 5))
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        assert simulate(folder / "extracts", small, folder / "truth", processes=processes)
    assert tree_digest(tmp_path / "1") == tree_digest(tmp_path / "2")
    customers = read(tmp_path / "1" / "extracts", "core.customers", date(2026, 1, 5))
    people = customers.query("customer_type == 'personal'")
    assert list(people["customer_id"]) == [f"C{i + 1:08d}" for i in range(310)]
    assert people["mobile"].nunique() >= 305 and customers["id_number"].is_unique, "blocks share no number"


def test_the_bytes_do_not_depend_on_what_the_processor_can_do(simulated_bank: Path, tmp_path: Path) -> None:
    """Vector instructions give other last bits: no figure may hang on them."""
    code = (
        "import sys; from pathlib import Path; from crm_warehouse.simulator import Simulation, simulate;"
        "simulate(Path(sys.argv[1]) / 'source_systems', Simulation(customers=300), Path(sys.argv[1]) / 'ground_truth')"
    )
    plain = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(__cpu_dispatch__)}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], env=plain, check=True)
    assert tree_digest(tmp_path) == tree_digest(simulated_bank.parent)


def test_a_large_bank_sends_the_transactions_of_one_month_with_its_history() -> None:
    assert Simulation(customers=20_001).first_transaction_day == Simulation(transaction_months=1).first_transaction_day
    assert Simulation().first_transaction_day == 0
    first = Simulation(transaction_months=1).dates(np.array(Simulation(transaction_months=1).first_transaction_day))
    assert str(first) == "2026-05-01"


PIPELINE = ("dags", "dbt_project", "expectations", "plugins")
MAY_KNOW_OF_THE_TRUTH = {"settings.py", "score.py", "demonstration.py", "cli.py"}  # the last two write and show it


def test_nothing_in_the_pipeline_knows_of_the_ground_truth() -> None:
    knowing = {
        path
        for folder in PIPELINE
        for path in (PROJECT / folder).rglob("*")
        if path.suffix in {".py", ".sql", ".yml", ".csv", ".html"}
        and "ground_truth" in path.read_text(encoding="utf-8")
    }
    simulator = PROJECT / "plugins" / "crm_warehouse" / "simulator"
    assert {path.name for path in knowing if simulator not in path.parents} <= MAY_KNOW_OF_THE_TRUTH
    package = PROJECT / "plugins" / "crm_warehouse"
    for module in ("pipeline", "build", "privacy/tokens", "privacy/erasure", "landing", "profile", "coverage"):
        text = (package / f"{module}.py").read_text(encoding="utf-8")
        assert not re.search(r"import.*\bscore\b|crm_warehouse\.score", text), module
