"""A damaged extract stops the run in one sentence, and BI stays on the last good version."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest
from conftest import LAST, Run
from faults.homes import copy_of, deliver_a_customer_twice, fact_of, last_finished, seal

from crm_warehouse import pipeline
from crm_warehouse.errors import CrmWarehouseError, ExtractError, GateFailed
from crm_warehouse.evidence import log
from crm_warehouse.progress import silent
from crm_warehouse.publish import versions
from crm_warehouse.settings import Settings, safe_name

DAY = LAST.isoformat()


@pytest.fixture
def home(reference_run: Run, tmp_path: Path) -> Settings:
    """A version is live; the deliveries of 2026-06-30 have not landed, and are a copy that a test may damage."""
    settings = copy_of(reference_run, tmp_path / "home", without=LAST)
    sources = tmp_path / "source_systems"
    for folder in settings.source_root.glob(f"*/{DAY}"):
        shutil.copytree(folder, sources / folder.relative_to(settings.source_root))
    return Settings(settings.bank, settings.home, settings.project, sources)


def missing(file: Path) -> None:
    file.unlink()


def missing_control(file: Path) -> None:
    file.with_suffix(".ctl").unlink()


def zero_bytes(file: Path) -> None:
    file.write_bytes(b"")


def zero_bytes_and_control_agrees(file: Path) -> None:
    file.write_bytes(b"")
    seal(file, rows="0")


def header_only(file: Path) -> None:
    file.write_bytes(file.read_bytes().split(b"\n")[0] + b"\n")
    seal(file)


def header_only_and_control_agrees(file: Path) -> None:
    file.write_bytes(file.read_bytes().split(b"\n")[0] + b"\n")
    seal(file, rows="0")


def control_count_off_by_one(file: Path) -> None:
    seal(file, rows=str(int(fact_of(file, "rows")) + 1))


def cut_in_transit(file: Path) -> None:
    file.write_bytes(b"\n".join(file.read_bytes().split(b"\n")[:-2]) + b"\n")


def column_renamed(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"customer_id", b"client_id", 1))
    seal(file)


def columns_reordered(file: Path) -> None:
    header, rest = file.read_bytes().split(b"\n", 1)
    names = header.split(b"|")
    file.write_bytes(b"|".join([names[1], names[0], *names[2:]]) + b"\n" + rest)
    seal(file)


def of_another_day(file: Path) -> None:
    seal(file, business_date="2026-06-29")


def not_in_its_encoding(file: Path) -> None:
    content = file.read_bytes().rstrip(b"\n")
    file.write_bytes(content[:-1] + b"\xff\xff\n")
    seal(file)


def a_field_too_many(file: Path) -> None:
    lines = file.read_bytes().split(b"\n")
    lines[3] += b"|extra"
    file.write_bytes(b"\n".join(lines))
    seal(file)


DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (missing, "is missing; ask the core system to send it, then run again"),
    (missing_control, "its control file customers.ctl is missing"),
    (zero_bytes, r"is empty \(zero bytes\); ask the core system to send it again"),
    (zero_bytes_and_control_agrees, r"is empty \(zero bytes\)"),
    (header_only, "has a header but no rows; ask the core system"),
    (header_only_and_control_agrees, "has a header but no rows"),
    (control_count_off_by_one, r"has (\d+) rows but its control file says \d+; ask for the delivery again"),
    (cut_in_transit, "its control file says sha256 .* ask for it again"),
    (column_renamed, "the header lacks customer_id and has unknown client_id; it must match the profile"),
    (columns_reordered, "the header has its columns in another order"),
    (of_another_day, "its control file says business_date 2026-06-29, but it is 2026-06-30"),
    (not_in_its_encoding, "is not gb18030: byte .* ask for the delivery again"),
    (a_field_too_many, "row 4: 25 fields instead of 24"),
]


def run_day(settings: Settings, run_id: str) -> dict:
    return pipeline.run(settings, run_id, LAST, LAST, False, lambda step: silent)


def fails(settings: Settings, run_id: str, error: type[CrmWarehouseError]) -> str:
    """Run; what must hold after every failed run; returns its sentence."""
    live, files = versions.live_version(settings), set(settings.published.iterdir())
    with pytest.raises(error) as raised:
        run_day(settings, run_id)
    problem = str(raised.value)
    assert problem.strip()
    assert "\n" not in problem
    assert "Traceback" not in problem
    assert versions.live_version(settings) == live
    assert set(settings.published.iterdir()) == files
    with duckdb.connect(str(settings.published / live["file"]), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.dim_customers").fetchone()[0] > 0
    assert log.verify(settings) is None
    finished = last_finished(settings)
    assert {name: finished[name] for name in ("run_id", "outcome", "problem")} == {
        "run_id": run_id,
        "outcome": "failed",
        "problem": problem,
    }
    assert finished["published"] == {"version": None, "is_new": None}
    page = (settings.report / safe_name(run_id) / "index.html").read_text(encoding="utf-8")
    assert "Nothing was published; BI stays on the last good version." in page
    chinese = (settings.report / safe_name(run_id) / "index.zh.html").read_text(encoding="utf-8")
    assert "本次未发布，BI 仍使用上一个合格版本。" in chinese
    assert problem in html.unescape(page)
    assert safe_name(run_id) in (settings.report / "index.html").read_text(encoding="utf-8")
    return problem


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES, ids=[damage.__name__ for damage, _ in DAMAGES])
def test_a_damaged_extract_is_refused_by_name_and_nothing_is_published(
    home: Settings, damage: Callable[[Path], None], sentence: str
):
    file = home.source_root / "core" / DAY / "customers.csv"
    damage(file)
    problem = fails(home, f"damaged by {damage.__name__}", ExtractError)
    assert str(file) in problem
    assert re.search(sentence, problem), problem


def test_a_control_total_that_is_off_by_a_fen_is_refused_by_name(home: Settings):
    file = home.source_root / "core" / DAY / "balances.csv"
    total = fact_of(file, "total_balance_amount")
    changed = total[:-1] + str((int(total[-1]) + 1) % 10)
    seal(file, total_balance_amount=changed)
    problem = fails(home, "off by a fen", ExtractError)
    assert str(file) in problem
    assert f"balance_amount adds up to {total.rstrip('0').rstrip('.')} but its control file says {changed}" in problem


def test_a_parquet_file_cut_in_the_middle_is_refused_by_name_even_if_its_control_file_agrees(home: Settings):
    file = home.source_root / "wealth" / DAY / "products.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    seal(file)
    problem = fails(home, "cut parquet", ExtractError)
    assert str(file) in problem
    assert "ask for the delivery again" in problem


@pytest.mark.parametrize("place", ["begin", "page header", "footer"])
def test_a_parquet_file_with_broken_bytes_is_refused_by_name_even_if_its_control_file_agrees(
    home: Settings, place: str
):
    file = home.source_root / "wealth" / DAY / "products.parquet"
    content = bytearray(file.read_bytes())
    first = {"begin": 0, "page header": 4, "footer": len(content) - 60}[place]
    for position in range(first, first + 40):
        content[position] ^= 0xFF
    file.write_bytes(content)
    seal(file)
    assert str(file) in fails(home, f"broken parquet {place}", ExtractError)


def test_a_customer_delivered_twice_shuts_the_landing_gate_though_the_control_file_agrees(home: Settings):
    file = home.source_root / "core" / DAY / "customers.csv"
    deliver_a_customer_twice(file)
    problem = fails(home, "twice", GateFailed)
    assert "landing gate is shut" in problem
    assert "core__customers" in problem or "customers.csv" in problem
    gates = last_finished(home)["gates"]
    assert gates["landing_gate"]["is_open"] is False
    assert gates["landing_gate"]["run"] == gates["landing_gate"]["planned"] > 0
    assert any(
        rule["severity"] == "block" and "customers" in rule["rule"] and rule["rows"] >= 2
        for rule in gates["landing_gate"]["not_passed"]
    )
    accepted = list(home.landing.glob(f"*/*/business_date={DAY}/batch=*/accepted.parquet"))
    assert accepted == [], "a gate that is shut accepts nothing"


def test_a_corrected_delivery_with_the_next_sequence_number_lands_after_a_shut_gate_and_is_published(
    reference_run: Run, home: Settings
):
    file = home.source_root / "core" / DAY / "customers.csv"
    good = file.read_bytes()
    customers = fact_of(file, "rows")
    deliver_a_customer_twice(file)
    fails(home, "first attempt", GateFailed)
    file.write_bytes(good)
    seal(file, rows=customers, sequence="2")
    summary = run_day(home, "corrected")
    assert summary["outcome"] == "unchanged"  # the day as the live version already has it
    assert log.verify(home) is None


def test_other_content_under_a_landed_sequence_number_is_refused_by_name(home: Settings, reference_run: Run):
    file = home.source_root / "core" / DAY / "customers.csv"
    good = file.read_bytes()
    customers = fact_of(file, "rows")
    deliver_a_customer_twice(file)
    fails(home, "first attempt", GateFailed)
    file.write_bytes(good)
    seal(file, rows=customers)
    problem = fails(home, "same number", ExtractError)
    assert str(file) in problem
    assert "next sequence number" in problem


def test_a_range_that_misses_one_day_names_that_day(home: Settings):
    shutil.rmtree(home.source_root / "crm" / DAY)
    problem = fails(home, "no crm", ExtractError)
    assert DAY in problem
    assert "has not delivered yet" in problem
    assert date.fromisoformat(last_finished(home)["business_dates"][0]) == LAST
