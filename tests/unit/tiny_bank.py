"""A bank of three small extracts, in a folder of its own: profile, policy, and deliveries whose control files agree."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from crm_warehouse.extract import extract
from crm_warehouse.landing import Batch, land
from crm_warehouse.onboarding.scaffold import policy_text
from crm_warehouse.profile import Extract, Profile, load_profile
from crm_warehouse.settings import Settings

FRIDAY, MONDAY, TUESDAY = date(2026, 5, 29), date(2026, 6, 1), date(2026, 6, 2)
DAY = MONDAY
PARAMETERS = policy_text("tiny", "policy_parameters")
LANDING_THRESHOLDS = (
    "threshold_id,value,effective_from,owner,approved_by,decision_reference,description\n"
    "text_length_max,100,2025-01-01,data-owner,data-owner,DEC-2,Longest text of a field\n"
)
CUSTOMER = {
    "customer_id": "C1",
    "customer_name": "王芳",
    "gender": "female",
    "birth_date": "1980-02-25",
    "income": "1234.50",
    "score": "0.045",
    "visits": "3",
    "is_vip": "true",
    "seen_at": "2026-05-31T17:30:00Z",
}
BALANCE = {"account_id": "A1", "customer_id": "C1", "balance_amount": "100.10"}


def profile_body() -> dict[str, Any]:
    """A right profile, as it stands in extracts.yml; a test changes what it is about."""
    return {
        "bank": "tiny",
        "name_en": "Tiny Bank",
        "name_zh": "小银行",
        "reporting_currency": "CNY",
        "timezone": "Asia/Shanghai",
        "initial_delivery_on": FRIDAY,
        "demo_last_business_date": TUESDAY,
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
                            "gender": {"type": "text", "values": ["female", "male"]},
                            "birth_date": {"type": "date"},
                            "income": {"type": "decimal"},
                            "score": {"type": "fraction"},
                            "visits": {"type": "integer"},
                            "is_vip": {"type": "boolean"},
                            "seen_at": {"type": "timestamp"},
                        },
                    },
                    "balances": {
                        "delivery": "events",
                        "columns": {
                            "account_id": {"type": "text", "key": True},
                            "customer_id": {
                                "type": "text",
                                "required": True,
                                "references": "core.customers.customer_id",
                            },
                            "balance_amount": {"type": "decimal", "required": True, "control_total": True},
                        },
                    },
                },
            },
            "wealth": {
                "kind": "parquet",
                "file": "wealth/{business_date}/{extract}.parquet",
                "extracts": {
                    "products": {
                        "delivery": "full",
                        "columns": {
                            "product_id": {"type": "text", "key": True},
                            "fee_rate": {"type": "fraction"},
                            "launched_on": {"type": "date", "required": True},
                        },
                    },
                },
            },
        },
    }


SCAFFOLDED = (
    "age_bands",
    "tier_policies",
    "tier_thresholds",
    "tier_asset_weights",
    "deposit_rates",
    "ledger_contribution_lines",
    "transaction_classes",
    "counterparty_mappings",
    "customer_events",
    "churn_signs",
)


def write_profile(folder: Path, body: dict[str, Any] | str, **policy: str) -> Settings:
    """Write a project of one bank below `folder`; its settings. `policy`: policy files as text, by name."""
    bank_folder = folder / "project" / "dbt_project" / "banks" / "tiny"
    (bank_folder / "policy").mkdir(parents=True)
    text = body if isinstance(body, str) else yaml.safe_dump(body, allow_unicode=True, sort_keys=False)
    (bank_folder / "extracts.yml").write_text(text, encoding="utf-8")
    files = {
        **{name: policy_text("tiny", name) for name in SCAFFOLDED},
        "landing_thresholds": LANDING_THRESHOLDS,
        "policy_parameters": PARAMETERS,
        "calendar_exceptions": "calendar_date,is_business_day,reason\n",
        **policy,
    }
    for name, content in files.items():
        (bank_folder / "policy" / f"{name}.csv").write_text(content, encoding="utf-8")
    return Settings(bank="tiny", home=folder / "home", project=folder / "project", source_root=folder / "sent")


@dataclass(frozen=True)
class TinyBank:
    """The bank's settings and profile, and what it sends."""

    settings: Settings
    profile: Profile

    @classmethod
    def below(cls, folder: Path) -> TinyBank:
        settings = write_profile(folder, profile_body())
        return cls(settings, load_profile(settings))

    def spec(self, table: str) -> Extract:
        return next(spec for spec in self.profile.extracts if spec.table == table)

    def send(self, table: str, rows: list[dict[str, str]], day: date = DAY, /, **control: object) -> Path:
        spec = self.spec(table)
        return deliver(spec, self.settings.source_root, written(spec, rows), day, **{**proofs(spec, rows), **control})

    def send_products(self, day: date = DAY) -> Path:
        return deliver(self.spec("wealth__products"), self.settings.source_root, parquet_bytes(products()), day)

    def send_all(self, customers: list[dict], balances: list[dict], day: date = DAY) -> None:
        self.send("core__customers", customers, day)
        self.send("core__balances", balances, day)
        self.send_products(day)

    def land(self, table: str, day: date = DAY) -> tuple[Batch, bool]:
        spec = self.spec(table)
        return land(self.settings, spec, extract(self.profile, spec, self.settings.source_root, day))

    def land_all(self, *days: date) -> None:
        for spec in self.profile.extracts:
            for day in days or (DAY,):
                self.land(spec.table, day)


def customers(count: int) -> list[dict[str, str]]:
    """That many right customers, C1 on."""
    return [{**CUSTOMER, "customer_id": f"C{number}"} for number in range(1, count + 1)]


def products() -> pa.Table:
    return pa.table(
        {
            "product_id": pa.array(["P1", "P2"]),
            "fee_rate": pa.array([Decimal("0.000000000"), Decimal("0.000000001")], pa.decimal128(18, 9)),
            "launched_on": pa.array([date(2020, 1, 1), date(2021, 1, 1)], pa.date32()),
        }
    )


def parquet_bytes(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    return buffer.getvalue().to_pybytes()


def written(spec: Extract, rows: list[dict[str, str]]) -> bytes:
    """The rows as the extract's file has them."""
    names = [column.name for column in spec.columns]
    lines = [names, *([row[name] for name in names] for row in rows)]
    return "".join(spec.delimiter.join(line) + "\n" for line in lines).encode(spec.encoding)


def proofs(spec: Extract, rows: list[dict[str, str]]) -> dict[str, object]:
    """Row count and totals, as a control file that agrees says them."""
    totals = {
        f"total_{column.name}": sum((Decimal(row[column.name]) for row in rows), Decimal(0))
        for column in spec.columns
        if column.control_total
    }
    return {"rows": len(rows), **totals}


def deliver(spec: Extract, root: Path, content: bytes, day: date = DAY, **control: object) -> Path:
    """Write a file and, when the extract has one, a control file that agrees; `control` says otherwise, None leaves out."""
    path = spec.path(root, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if spec.control:
        body = {
            "file": path.name,
            "business_date": day,
            "sequence": 1,
            "rows": 0,
            "sha256": hashlib.sha256(content).hexdigest(),
            "sent_at": f"{day}T17:30:00Z",
            **control,
        }
        lines = [f"{name}={value}\n" for name, value in body.items() if value is not None]
        path.with_suffix(".ctl").write_text("".join(lines), encoding="utf-8")
    return path
