"""The report as an Excel workbook: what the first page and the figures show, a sheet each.

Written as plain parts of an Office Open XML file: DuckDB's writer makes one sheet a file, without widths or a heading.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

_MAKES_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_FONT = '<font>{bold}<sz val="11"/><name val="Microsoft YaHei"/><family val="2"/><charset val="134"/></font>'
_STYLES = f"""<styleSheet xmlns="{_NAMESPACE}"><fonts count="2">{_FONT.format(bold="")}{_FONT.format(bold="<b/>")}</fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="4"><xf fontId="0"/><xf fontId="1" applyFont="1"/><xf fontId="0" numFmtId="3" applyNumberFormat="1"/>
<xf fontId="0" numFmtId="4" applyNumberFormat="1"/></cellXfs></styleSheet>"""
_TEXT, _HEADING, _COUNT, _AMOUNT = range(4)
_WIDEST = 70
_WIDE = re.compile(r"[\u2e80-\uffff]")
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # characters that XML cannot hold
_EPOCH = (2000, 1, 1, 0, 0, 0)  # the same content gives the same bytes


def neutral(value: object) -> object:
    """Text that a spreadsheet would run is put out of action by a quotation mark; anything else is as it was."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_MAKES_A_FORMULA):
        return f"'{value}"
    return value


def write_workbook(facts: dict) -> bytes:
    """The workbook of a run."""
    return pack(sheets_of(facts))


def pack(sheets: dict[str, list[Sequence]]) -> bytes:
    """Sheets by name, the first row of each its heading, as the bytes of an .xlsx file."""
    numbers = range(1, len(sheets) + 1)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>' for n in numbers
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_NAMESPACE}" xmlns:r="{_RELATIONS}"><sheets>'
        + "".join(
            f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>'
            for n, name in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        + f'<Relationship Id="rId{len(sheets) + 1}" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/sheet{n}.xml": _sheet(rows) for n, rows in zip(numbers, sheets.values(), strict=True)},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, xml in parts.items():
            archive.writestr(
                zipfile.ZipInfo(name, _EPOCH),
                f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{xml}',
                zipfile.ZIP_DEFLATED,
            )
    return file.getvalue()


def _sheet(rows: list[Sequence]) -> str:
    widths = [min(_WIDEST, 3 + max(_width(row[place]) for row in rows)) for place in range(len(rows[0]))]
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width}" customWidth="1"/>' for n, width in enumerate(widths, 1)
    )
    body = "".join(
        f"<row>{''.join(_cell(value, _HEADING if place == 0 else None) for value in row)}</row>"
        for place, row in enumerate(rows)
    )
    frozen = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    return f'<worksheet xmlns="{_NAMESPACE}">{frozen}<cols>{columns}</cols><sheetData>{body}</sheetData></worksheet>'


def _cell(value: object, style: int | None) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f'<c s="{_COUNT if isinstance(value, int) else _AMOUNT}"><v>{value}</v></c>'
    text = value.isoformat() if isinstance(value, date) else str(neutral(str(value)))
    clean = _NO_XML.sub("", text)
    return f'<c t="inlineStr" s="{style or _TEXT}"><is><t xml:space="preserve">{escape(clean)}</t></is></c>'


def _width(value: object) -> int:
    """Columns a value takes: a Chinese character takes two."""
    text = f"{value:,.2f}" if isinstance(value, (float, Decimal)) else str(value)
    return len(text) + len(_WIDE.findall(text))


def sheets_of(facts: dict) -> dict[str, list[Sequence]]:
    """What is in the workbook: headings in both languages, rows as the pages have them."""
    summary, figures = facts["summary"], facts["figures"] or {}
    sheets = {
        "Summary 摘要": [
            ("What 项目", "Value 内容"),
            ("Bank 银行", f"{facts['profile'].name_en} {facts['profile'].name_zh}"),
            ("Business date 业务日", summary["as_of"]),
            ("Run 运行", summary["run_id"]),
            ("Outcome 结果", summary["outcome"]),
            ("Problem 问题", summary["problem"]),
            ("Files read 读取文件", facts["files_read"]),
            ("Rows read 读取行数", facts["rows"]["read"]),
            ("Rows set aside 隔离行数", facts["rows"]["quarantined"]),
            ("Rows rejected 拒绝行数", facts["rows"]["rejected"]),
            *((f"{name}: passed / planned 通过 / 计划", f"{gate['passed']} / {gate['planned']}") for name, gate in facts["gates"].items()),
        ],
        "Rules 规则": [
            ("Rule", "Name", "名称", "Verdict 结论", "Bad rows 问题行", "Rows 行数", "Severity 级别", "Dimension 维度", "Reason 原因", "What to do 处置", "Owner 负责人", "Principle 依据", "Detail 说明"),
            *(
                (r["rule"]["id"], r["rule"]["name_en"], r["rule"]["name_zh"], r["status"], r["failed_rows"], r["table_rows"], r["rule"]["severity"], r["rule"]["dimension"], r["rule"]["reason"], r["rule"]["on_failure"], r["rule"]["owner"], r["rule"]["principle"], r["detail"])
                for r in sorted(facts["rules"].values(), key=lambda row: row["status"] == "passed")
            ),
        ],
        "Set aside 隔离": [
            ("Extract 数据", "Business date 业务日", "Rows 行数", "Rule 规则", "Rows by rule 按规则", "States 状态"),
            *(
                (q["table"], q["business_date"], q["rows"], why["id"], why["rows"], ", ".join(f"{state} {n}" for state, n in q["states"].items()))
                for q in facts["quarantine"]
                for why in q["why"]
            ),
        ],
        "Waivers 豁免": [
            ("Number 编号", "Rule 规则", "From 起", "To 止", "Ceiling 上限", "Ends 到期", "State 状态", "Asked by 申请人", "Approved by 批准人", "Reason 原因"),
            *((w["number"], w["rule"], w["first_date"], w["last_date"], w["ceiling"], w["expires_on"], w["state"], w["asked_by"], w.get("approved_by"), w["reason"]) for w in facts["waivers"]),
        ],
        "Coverage 覆盖": [
            ("Mart 集市", "Coverage 覆盖", "Rows 行数", "Missing 缺少", "Content hash 内容哈希"),
            *((mart, row["coverage"], facts["tables"].get(mart, {}).get("rows"), ", ".join(row["missing"]), facts["tables"].get(mart, {}).get("content_hash")) for mart, row in facts["coverage"].items()),
        ],
    }  # fmt: skip
    if figures:
        sheets |= _figures(figures)
    return sheets


def _figures(figures: dict) -> dict[str, list[Sequence]]:
    moves = ("opening_count", "opened", "up_in", "down_in", "won_back", "up_out", "down_out", "exited", "closing_count")
    bridge, hidden = figures["bridge"], "fewer than 3 少于3户"
    return {
        "Tiers 等级": [("Tier", "等级", "Customers 客户数", "Assets 管理资产"), *((r["en"], r["zh"], r["customers"], r["amount"]) for r in figures["tiers"]["rows"])],
        "Flows 流动": [("Tier", "等级", *moves), *((r["en"], r["zh"], *(r[m] for m in moves)) for r in figures["flows"])],
        "Bridge 资产变动": [
            ("Step", "项目", "Amount 金额"),
            *([("Opening", "期初", bridge["opening_amount"]), *((s["en"], s["zh"], s["amount"]) for s in bridge["steps"]), ("Closing", "期末", bridge["closing_amount"])] if bridge else []),
        ],
        "Concentration 集中度": [
            ("Measure 口径", "Percentile 百分位", "Cumulative share 累计占比"),
            *((r["measure"], r["percentile"], r["cumulative_share"]) for rows in figures["curves"].values() for r in rows),
        ],
        "Near a tier 临界": [
            ("Threshold", "门槛等级", "Side 方向", "Customers 客户数", "Gap 差额"),
            *((r["en"], r["zh"], r["side"], r["customers"], r["gap_amount"] if r["is_shown"] else hidden) for r in figures["near"]),
        ],
        "Ledger 总账": [
            ("Line", "科目", "Currency 币种", "Customers 客户合计", "Unallocated 未分摊", "Ledger 总账", "Largest difference 最大差额", "Tied 相符", "Cells 单元"),
            *((r["en"], r["zh"], r["currency"], r["warehouse_amount"], r["unallocated_amount"], r["ledger_amount"], r["largest_difference"], r["tied"], r["cells"]) for r in figures["ledger"]),
        ],
        "Assets 各月资产": [("Month 月份", "Average daily balance 月日均"), *((r["month"], r["amount"]) for r in figures["months"])],
    }  # fmt: skip
