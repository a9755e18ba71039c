"""The report as an Excel workbook: what the first page and the figures show, a sheet each."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import xlsxwriter

from crm_warehouse.publish.formulas import neutralise

FONT = "Microsoft YaHei"  # has Chinese and Latin letters, wherever Excel does
WIDEST = 70
WIDE = re.compile(r"[\u2e80-\uffff]")
MADE_AT = datetime(2000, 1, 1, tzinfo=UTC)  # the same content gives the same bytes


def write_workbook(facts: dict) -> bytes:
    """The workbook of a run."""
    return pack(sheets_of(facts))


def pack(sheets: dict[str, list[Sequence]]) -> bytes:
    """Sheets by name, the first row of each its heading, as the bytes of an .xlsx file."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        workbook.set_properties({"created": MADE_AT})
        looks = {"font_name": FONT, "font_size": 11}
        text, heading = workbook.add_format(looks), workbook.add_format({**looks, "bold": True})
        count, amount = (workbook.add_format({**looks, "num_format": shown}) for shown in ("#,##0", "#,##0.00"))
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for place in range(len(rows[0])):
                sheet.set_column(place, place, min(WIDEST, 3 + max(_width(row[place]) for row in rows)))
            for number, row in enumerate(rows):
                for place, value in enumerate(row):
                    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
                        sheet.write_number(number, place, value, count if isinstance(value, int) else amount)
                    elif value is not None:
                        said = value.isoformat() if isinstance(value, date) else neutralise(str(value))
                        sheet.write_string(number, place, said, text if number else heading)
    return file.getvalue()


def _width(value: object) -> int:
    """Columns a value takes: a Chinese character takes two."""
    text = f"{value:,.2f}" if isinstance(value, (float, Decimal)) else str(value)
    return len(text) + len(WIDE.findall(text))


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
        "Tiers 等级": [("Tier", "等级", "Customers 客户数", "Assets 管理资产"), *((r["en"], r["zh"], r["closing_count"], r["closing_amount"]) for r in figures["flows"])],
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
