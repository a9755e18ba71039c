"""A tiny bank as a new user would bring it in: what its systems send, and the text edits of its profile, no Python."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crm_warehouse.settings import PROJECT

BANK = "river_bank"
DAYS = ("2026-03-31", "2026-04-01")

CUSTOMERS = """\
cust_no|full_name|sex|born|joined|branch
0001|王芳|F|25.02.1980|03.01.2020|B1
0002|李伟|M|01.07.1951|15.06.2018|B1
0003|赵敏|F|30.11.1999|31.03.2026|B2
"""
ACCOUNTS = """\
acct|cust_no|product|state|opened
A-01|0001|CUR|open|03.01.2020
A-02|0002|CUR|open|15.06.2018
A-03|0002|DEP|open|01.01.2026
A-04|0003|CUR|dormant|31.03.2026
"""
BALANCES = {
    "2026-03-31": "acct|amount\nA-01|120000.00\nA-02|500.25\nA-03|40000.00\nA-04|0.00\n",
    "2026-04-01": "acct|amount\nA-01|90000.00\nA-02|500.25\nA-03|70000.00\nA-04|10.00\n",
}
RATES = "ccy,day,cny\nCNY,{day},1.000000000\n"

CORE = """\
  core:
    kind: delimited
    file: "core/{business_date}/{extract}.txt"
    encoding: gb18030
    delimiter: "|"
    control: true
    extracts:
      customers:
        delivery: full
        columns:
          cust_no: {type: text, key: true}
          full_name: {type: text, required: true, personal: true}
          sex: {type: text, values: [F, M]}
          born: {type: date, format: "%d.%m.%Y"}
          joined: {type: date, required: true, format: "%d.%m.%Y"}
          branch: {type: text, required: true}
      accounts:
        delivery: full
        columns:
          acct: {type: text, key: true}
          cust_no: {type: text, required: true, references: core.customers.cust_no}
          product: {type: text, required: true, references: wealth.products.product_id}
          state: {type: text, required: true, values: [open, closed, dormant]}
          opened: {type: date, required: true, format: "%d.%m.%Y"}
      balances:
        delivery: full
        columns:
          acct: {type: text, key: true, references: core.accounts.acct}
          amount: {type: decimal, required: true, control_total: true}
  wealth:
    kind: parquet
    file: "wealth/{extract}_{business_date}.parquet"
    extracts:
      products:
        delivery: full
        columns:
          product_id: {type: text, key: true}
          title: {type: text, required: true}
          family: {type: text, required: true}
  market:
    kind: delimited
    file: "market/{extract}_{business_date}.csv"
    control: true
    extracts:
      rates:
        delivery: full
        columns:
          ccy: {type: text, key: true}
          day: {type: date, key: true}
          cny: {type: fraction, required: true}
"""

# What the user changes in each mapping that `profile new` wrote: old text, new text.
MAPPINGS = {
    "core__customers": {
        "customer_id": "landed.cust_no as customer_id",
        "customer_name": "landed.full_name as customer_name",
        "gender": "case landed.sex when 'F' then 'female' else 'male' end as gender",
        "birth_date": "landed.born as birth_date",
        "customer_type": "'personal' as customer_type",
        "onboarded_on": "landed.joined as onboarded_on",
        "branch_id": "landed.branch as branch_id",
    },
    "core__accounts": {
        "account_id": "landed.acct as account_id",
        "customer_id": "landed.cust_no as customer_id",
        "product_id": "landed.product as product_id",
        "currency_code": "'CNY' as currency_code",
        "opened_on": "landed.opened as opened_on",
        "account_status": "landed.state as account_status",
    },
    "core__balances": {
        "account_id": "landed.acct as account_id",
        "balance_amount": "landed.amount as balance_amount",
        "currency_code": "'CNY' as currency_code",
    },
    "reference__fx_rates": {
        "currency_code": "landed.ccy as currency_code",
        "rate_date": "landed.day as rate_date",
        "cny_per_unit": "landed.cny as cny_per_unit",
    },
    "wealth__products": {
        "product_id": "landed.product_id",
        "product_name": "landed.title as product_name",
        "product_family": "landed.family as product_family",
        "currency_code": "'CNY' as currency_code",
        "counts_in_aum": "true as counts_in_aum",
    },
}
LANDED = {"core', 'products": "wealth', 'products", "core', 'fx_rates": "market', 'rates"}


@dataclass(frozen=True)
class NewUser:
    """A person with a copy of the project, a shell and an editor."""

    project: Path
    home: Path
    data: Path

    @classmethod
    def below(cls, folder: Path) -> NewUser:
        project = folder / "project"
        shutil.copytree(
            PROJECT / "dbt_project", project / "dbt_project", ignore=shutil.ignore_patterns("target", "logs")
        )
        return cls(project, folder / "home", folder / "sent")

    @property
    def bank(self) -> Path:
        return self.project / "dbt_project" / "banks" / BANK

    def call(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """`crm-warehouse ...` in a process of its own; what it printed."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("CRM_WAREHOUSE_")}
        given = {"CRM_WAREHOUSE_PROJECT": str(self.project), "CRM_WAREHOUSE_HOME": str(self.home), "COLUMNS": "400"}
        path = os.pathsep.join([str(PROJECT / "plugins"), str(PROJECT)])
        done = subprocess.run(
            [sys.executable, "-m", "crm_warehouse.cli", *arguments],
            env={**mine, **given, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def check(self, *arguments: str, code: int = 0) -> dict:
        return json.loads(self.call("profile", "check", BANK, "--json", *arguments, code=code))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text in a file of the profile; it must be there."""
        path = self.bank / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def fill_in(self) -> None:
        """Everything the walk-through asks for, by ordinary edits."""
        text = (self.bank / "extracts.yml").read_text(encoding="utf-8")
        start, end = text.index("  core:  "), text.index("# Sources of other kinds")
        (self.bank / "extracts.yml").write_text(text[:start] + CORE + text[end:], encoding="utf-8")
        for old, new in {
            f"name_en: {BANK}                          # TODO: the bank's name in English": "name_en: River Bank",
            f"name_zh: {BANK}                          # TODO: and in Chinese": "name_zh: 河流银行",
            "  # TODO: what marts are in": "",
            "  # TODO: the bank's zone of the tz database": "",
            "initial_delivery_on: 2026-01-31          # TODO: business date of the first delivery": "initial_delivery_on: 2026-03-31",
            "demo_last_business_date: 2026-01-31      # TODO: the last business date that there is": "demo_last_business_date: 2026-04-01",
            "core.customers.customer_id\n# Canonical": "core.customers.cust_no\n# Canonical",
        }.items():
            self.edit("extracts.yml", old, new)
        for table, columns in MAPPINGS.items():
            self._map(table, columns)
        for name in ("tier_policies", "policy_parameters", "age_bands"):
            self.edit(f"policy/{name}.csv", "TODO,TODO", "board,DEC-1")
        self.edit("policy/landing_thresholds.csv", "TODO,TODO,TODO", "risk,board,DEC-1")
        self.edit("policy/tier_policies.csv", " (TODO: your ladder)", "")
        self.edit("policy/tier_thresholds.csv", "Premium (TODO: your tiers),尊享,2,100000", "Premium,尊享,2,3000")

    def _map(self, table: str, columns: dict[str, str]) -> None:
        path = self.bank / "staging" / f"{table}.sql"
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            column = line.strip().rstrip(",").removeprefix("landed.")
            comma = "," if line.endswith(",") else ""
            if line.startswith("    landed.") and column in columns:
                line = f"    {columns[column]}{comma}"
            elif line.startswith("    landed.") and column not in ("business_date", "received_at"):
                line = f"    null as {column}{comma}"
            for old, new in LANDED.items():
                line = line.replace(old, new)
            lines += [] if "TODO" in line else [line]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def send_all(self) -> None:
        """The deliveries of both days, written by hand."""
        for day in DAYS:
            self._send(f"core/{day}/customers.txt", CUSTOMERS.encode("gb18030"), day)
            self._send(f"core/{day}/accounts.txt", ACCOUNTS.encode("gb18030"), day)
            amounts = [Decimal(line.split("|")[1]) for line in BALANCES[day].splitlines()[1:]]
            self._send(f"core/{day}/balances.txt", BALANCES[day].encode("gb18030"), day, total_amount=sum(amounts))
            self._send(f"market/rates_{day}.csv", RATES.format(day=day).encode(), day)
            products = {
                "product_id": ["CUR", "DEP"],
                "title": ["活期", "定期"],
                "family": ["demand_deposit", "time_deposit"],
            }
            path = self.data / "wealth" / f"products_{day}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(pa.table(products), path)

    def _send(self, file: str, content: bytes, day: str, **totals: object) -> None:
        path = self.data / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        said = {
            "file": path.name,
            "business_date": date.fromisoformat(day),
            "sequence": 1,
            "rows": content.count(b"\n") - 1,
            "sha256": hashlib.sha256(content).hexdigest(),
            "sent_at": f"{day}T22:00:00",
            **totals,
        }
        path.with_suffix(".ctl").write_text(
            "".join(f"{name}={value}\n" for name, value in said.items()), encoding="utf-8"
        )
