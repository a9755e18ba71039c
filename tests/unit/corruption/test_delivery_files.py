"""A delivery read and written unchanged has the same bytes, whatever form its source writes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from conftest import settings_in
from unit.corruption.tiny_tables import tiny_extracts, write_tiny_tables

from crm_warehouse.profile import load_profile
from crm_warehouse.simulator.corruption.delivery_files import read_rows, read_sent, remake_control, write_rows

DAY = date(2026, 6, 15)


def test_every_simulated_extract_comes_back_byte_for_byte(simulated_bank: Path):
    for spec in load_profile(settings_in(simulated_bank, source_root=simulated_bank)).extracts:
        path = spec.path(simulated_bank, DAY)
        sent = read_sent(path)
        rows = read_rows(spec, path, sent.data)
        assert write_rows(spec, path, rows, sent.data) == sent.data, spec.table
        assert remake_control(sent.control, sent.data, rows, rows) == sent.control, spec.table


def test_json_lines_parquet_and_long_delimiters_come_back_byte_for_byte(tmp_path: Path):
    write_tiny_tables(tmp_path)
    for spec in tiny_extracts():
        path = spec.path(tmp_path, DAY)
        sent = read_sent(path)
        rows = read_rows(spec, path, sent.data)
        assert write_rows(spec, path, rows, sent.data) == sent.data, spec.table
        assert remake_control(sent.control, sent.data, rows, rows) == sent.control, spec.table


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"id":"1","n":1.50,"ok":true,"none":null}\n', ["1", "1.50", "true", ""]),
        (b'{"id": "1", "n": -7, "ok": false, "none": null}\n', ["1", "-7", "false", ""]),
        (b'{"id": "\\u5411", "n": 0, "ok": false, "none": null}\n', ["向", "0", "false", ""]),
    ],
)
def test_a_json_line_keeps_its_spelling(line: bytes, told: list[str]):
    spec, path = tiny_extracts()[2], Path("any.jsonl")
    rows = read_rows(spec, path, line)
    assert rows.iloc[0].tolist() == told
    assert write_rows(spec, path, rows, line) == line
    assert b'"1,5"' in write_rows(spec, path, rows.assign(n="1,5"), line), "what is no number any more becomes a text"
