"""The workbook: every sheet readable by a reader of Office Open XML, numbers as numbers, text that cannot run."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from crm_warehouse.publish.formulas import neutralise
from crm_warehouse.report.workbook import pack

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_sheets(content: bytes) -> dict[str, list[list]]:
    """Cells of every sheet as its XML has them: text, number or None."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = [
            sheet.get("name") for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{SHEET}sheet")
        ]
        strings = [
            "".join(part.text or "" for part in string.iter(f"{SHEET}t"))
            for string in ElementTree.fromstring(archive.read("xl/sharedStrings.xml")).iter(f"{SHEET}si")
        ]
        roots = [ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{n}.xml")) for n in range(1, len(names) + 1)]
    return {
        name: [_cells(row, strings) for row in root.iter(f"{SHEET}row")]
        for name, root in zip(names, roots, strict=True)
    }


def _cells(row: ElementTree.Element, strings: list[str]) -> list[str | Decimal | None]:
    found: list[str | Decimal | None] = []
    for cell in row:
        assert cell.find(f"{SHEET}f") is None
        place = ord(cell.get("r")[0]) - ord("A")  # a cell without a value is not written
        value = cell.find(f"{SHEET}v").text
        found += [None] * (place - len(found))
        found.append(strings[int(value)] if cell.get("t") == "s" else Decimal(value))
    return found


@pytest.mark.parametrize("value", ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\rx", "  =1", "＝1"])
def test_text_that_a_spreadsheet_would_run_is_put_out_of_action(value):
    assert neutralise(value) == f"'{value}"
    sheet = read_sheets(pack({"a": [("heading",), (value,)]}))["a"]
    assert sheet[1][0].startswith("'")


def test_numbers_stay_numbers_and_other_text_stays_as_it_is():
    rows = [("文字", "n"), ("渤海银行 <&>", -5), ("a-b", Decimal("-1.50")), (None, 2)]
    sheets = read_sheets(pack({"表 & more": rows}))
    assert sheets == {
        "表 & more": [["文字", "n"], ["渤海银行 <&>", Decimal(-5)], ["a-b", Decimal("-1.50")], [None, Decimal(2)]]
    }


def test_the_same_rows_give_the_same_bytes():
    assert pack({"a": [("x",), (1,)]}) == pack({"a": [("x",), (1,)]})


def test_the_workbook_of_a_run_has_what_its_pages_show(reference_run):
    site = Path(reference_run.summary["report"]).parent
    sheets = read_sheets((site / "report.xlsx").read_bytes())
    results = [
        row for gate in ("landing_gate", "mart_gate") for row in reference_run.summary["results"][gate]["results"]
    ]
    assert {row[0] for row in sheets["Rules 规则"][1:]} == {row["rule"]["id"] for row in results}
    assert len(sheets["Coverage 覆盖"]) == len(reference_run.summary["results"]["build"]["coverage"]) + 1
    bridge = {row[0]: row[2] for row in sheets["Bridge 资产变动"][1:]}
    assert sum(amount for step, amount in bridge.items() if step != "Closing") == bridge["Closing"] != 0
    assert all(len(row) <= len(rows[0]) for rows in sheets.values() for row in rows)
    with zipfile.ZipFile(site / "report.xlsx") as archive:
        assert b'<name val="Microsoft YaHei"/>' in archive.read("xl/styles.xml")
