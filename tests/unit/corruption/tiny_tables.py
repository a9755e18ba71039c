"""Tables that the reference bank is about to send, hand-written: JSON lines for crm, Parquet for wealth, |+| for finance."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.profile import Column, Extract

DAYS = ("2026-06-05", "2026-06-12", "2026-06-15")
FORMS = {"wealth": ("parquet", "parquet"), "crm": ("jsonl", "delimited"), "finance": ("txt", "delimited")}

# Columns as name:type, a key with *, a control total with +; then rows. `$d` is the business date.
TABLES = {
    "wealth.navs": (
        "product_id*:text nav_date*:date nav:quantity",
        [["WP-R2", "$d", "1.043700"], ["WP-R3", "$d", "1.210000"], ["FD-EQ", "$d", "1.396900"]],
    ),
    "wealth.orders": (
        "order_id*:text customer_id:text product_id:text order_date:date side:text units:quantity amount+:decimal currency_code:text",
        [
            [f"O{n:08d}", f"C{n:08d}", "WP-R2", "$d", side, f"{n * 10}.500000", f"{n * 1100}.00", currency]
            for n, side, currency in [(1, "buy", "CNY"), (2, "redeem", "CNY"), (3, "dividend", "USD"), (4, "buy", "CNY")]
        ],
    ),
    "crm.service_requests": (
        "request_id*:text customer_id:text opened_at:timestamp acknowledged_at:timestamp resolved_at:timestamp"
        " reopened_at:timestamp category:text channel:text priority:text is_complaint:boolean handler_stage:text"
        " resolution:text satisfaction_score:integer",
        [
            ["Q1", "C00000001", "$dT01:00:00Z", "$dT01:05:00Z", "$dT03:00:00Z", "", "card", "call", "high", "true", "front", "解决", "4"],
            ["Q2", "C00000002", "$dT02:00:00Z", "$dT02:20:00Z", "$dT05:00:00Z", "$dT08:00:00Z", "loan", "branch", "low", "false", "back", "解决", "5"],
            ["Q3", "C00000003", "$dT04:00:00Z", "", "", "", "fee", "mobile", "low", "true", "middle", "", ""],
        ],
    ),
    "crm.surveys": (
        "response_id*:text customer_id:text sent_at:timestamp answered_at:timestamp survey_type:text question_code:text"
        " score:integer scale_min:integer scale_max:integer",
        [
            [f"S{n}", f"C{n:08d}", "$dT01:00:00Z", f"$dT0{n}:30:00Z", "nps", "recommend", score, "0", "10"]
            for n, score in [(1, "9"), (2, "6"), (3, "10"), (4, "7")]
        ],
    ),
    "crm.campaigns": (
        "campaign_id*:text name:text channel:text product_id:text starts_on:date ends_on:date cost_amount:decimal",
        [["G1", "春季存款", "message", "TD-3M", "2026-03-01", "2026-04-30", "12000.00"], ["G2", "基金", "call", "FD-EQ", "2026-05-01", "", "800.50"]],
    ),
    "crm.campaign_members": (
        "campaign_id*:text customer_id*:text is_control:boolean contacted_at:timestamp responded_at:timestamp"
        " converted_at:timestamp converted_amount:decimal",
        [
            ["G1", "C00000001", "false", "$dT01:00:00Z", "$dT02:00:00Z", "$dT03:00:00Z", "5000.00"],
            ["G1", "C00000002", "true", "", "", "", ""],
            ["G1", "C00000003", "false", "$dT01:10:00Z", "", "", ""],
            ["G2", "C00000004", "true", "", "", "", ""],
        ],
    ),
    "finance.ledger_balances": (
        "ledger_date*:date ledger_code*:text branch_id*:text currency_code*:text balance_amount+:decimal",
        [
            ["$d", "2011", "B001", "CNY", "120000.10"],
            ["$d", "2011", "B002", "CNY", "98000.25"],
            ["$d", "2011", "B002", "USD", "1200.00"],
            ["$d", "1301", "B001", "CNY", "-50000.00"],
        ],
    ),
}  # fmt: skip


def tiny_extracts() -> tuple[Extract, ...]:
    return tuple(_extract(table) for table in TABLES)


def _extract(table: str) -> Extract:
    source, name = table.split(".")
    ending, kind = FORMS[source]
    columns = []
    for declared in TABLES[table][0].split():
        column, column_type = declared.split(":")
        columns.append(Column(column.rstrip("*+"), column_type, key="*" in column, control_total="+" in column))
    return Extract(
        source, name, kind, f"{source}/{{business_date}}/{{extract}}.{ending}", "events", tuple(columns),
        delimiter="|+|" if source == "finance" else ",", control=True,
    )  # fmt: skip


def write_tiny_tables(root: Path) -> None:
    """Every table of three business dates, a little other on each, with control files."""
    for number, day in enumerate(DAYS):
        for spec in tiny_extracts():
            rows = [[value.replace("$d", day) for value in row] for row in TABLES[f"{spec.source}.{spec.name}"][1]]
            for column in (c for c in spec.columns if c.type in ("decimal", "quantity") and number):
                place = spec.columns.index(column)
                for row in rows:
                    row[place] = row[place] and str(Decimal(row[place]) + number)
            path = spec.path(root, date.fromisoformat(day))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_content(spec, rows))
            facts = {
                "file": path.name, "business_date": day, "sequence": "1", "rows": str(len(rows)),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "sent_at": f"{day}T17:30:00Z",
            }  # fmt: skip
            for place, column in enumerate(spec.columns):
                if column.control_total:
                    facts[f"total_{column.name}"] = str(sum(Decimal(row[place]) for row in rows))
            path.with_suffix(".ctl").write_text("".join(f"{name}={value}\n" for name, value in facts.items()))


def _content(spec: Extract, rows: list[list[str]]) -> bytes:
    names = [column.name for column in spec.columns]
    if spec.source == "finance":
        return "".join("|+|".join(line) + "\n" for line in [names, *rows]).encode()
    if spec.source == "crm":
        return "".join(json.dumps(_json(spec, row), ensure_ascii=False) + "\n" for row in rows).encode()
    types = {
        "text": pa.string(),
        "date": pa.date32(),
        "decimal": pa.decimal128(18, 2),
        "quantity": pa.decimal128(18, 6),
    }
    columns = {
        column.name: pa.array([row[place] or None for row in rows], pa.string()).cast(types[column.type])
        for place, column in enumerate(spec.columns)
    }
    target = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), target, compression="zstd")
    return target.getvalue().to_pybytes()


def _json(spec: Extract, row: list[str]) -> dict:
    """Whole numbers and true/false bare, amounts as texts, as an API that fears for its cents writes them."""
    readers = {"integer": int, "boolean": lambda text: text == "true"}
    return {
        column.name: readers.get(column.type, str)(value) if value else None
        for column, value in zip(spec.columns, row, strict=True)
    }
