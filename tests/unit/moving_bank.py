"""A bank whose money moves: accounts, balances, transactions and a ledger, and what its profile expects of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from unit.tiny_bank import FRIDAY, TUESDAY, TinyBank, profile_body, write_profile

from crm_warehouse.profile import load_profile

THRESHOLDS = {
    "changed_values_max_share": "0.05",
    "changed_values_min_rows": "3",
    "comes_once_deliveries": "2",
    "learned_deliveries_max": "30",
    "learned_deliveries_min": "10",
    "learned_floor_share": "0.05",
    "learned_floor_size": "0.03",
    "learned_multiplier_block": "7",
    "learned_multiplier_near": "5",
    "learned_other_days_factor": "1.5",
    "ledger_tolerance_amount": "0.00",
    "price_move_max_share": "0.10",
    "roll_forward_tolerance_amount": "0.00",
    "text_length_max": "100",
    "vanished_keys_max_share": "0.005",
    "variety_lost_rows_min": "2",
}
LEDGER_LINES = (
    "product_id,ledger_code,effective_from,approved_by,decision_reference\n"
    "P1,2011,2024-01-01,controller,DEC-1\nP2,2011,2024-01-01,controller,DEC-1\nP2,2012,2026-06-02,controller,DEC-2\n"
)
ACCOUNT = {
    "account_id": "A1",
    "product_id": "P1",
    "branch_id": "B1",
    "currency_code": "CNY",
    "opened_on": "2020-01-01",
    "closed_on": "",
    "grade": "gold",
}
TEXT = {"type": "text"}


def _columns(*names: str, key: tuple[str, ...], **types: dict) -> dict[str, dict]:
    return {name: {**types.get(name, TEXT), **({"key": True} if name in key else {})} for name in names}


def body(expect: dict[str, dict[str, Any]]) -> dict[str, Any]:
    money = {"type": "decimal", "required": True, "control_total": True}
    date_of, time_of = {"type": "date"}, {"type": "timestamp"}
    extracts = {
        "accounts": {
            "delivery": "full",
            "columns": _columns(*ACCOUNT, key=("account_id",), opened_on=date_of, closed_on=date_of),
        },
        "balances": {
            "delivery": "events",
            "columns": _columns(
                "account_id", "balance_date", "currency_code", "amount", key=("account_id", "balance_date"),
                balance_date=date_of, amount=money,
            ),
        },
        "transactions": {
            "delivery": "events",
            "columns": _columns(
                "transaction_id", "account_id", "posted_at", "moved_on", "currency_code", "amount",
                "reversal_of", key=("transaction_id",), posted_at=time_of, moved_on=date_of, amount=money,
            ),
        },
        "ledger": {
            "delivery": "events",
            "columns": _columns(
                "ledger_date", "line", "branch_id", "currency_code", "amount",
                key=("ledger_date", "line", "branch_id", "currency_code"), ledger_date=date_of, amount=money,
            ),
        },
    }  # fmt: skip
    for name, expected in expect.items():
        extracts[name]["expect"] = expected
    form = {"kind": "delimited", "file": "core/{business_date}/{extract}.csv", "control": True}
    return {
        **profile_body(),
        "customer_column": "core.accounts.account_id",
        "initial_delivery_on": date(2026, 1, 1),
        "sources": {"core": {**form, "extracts": extracts}},
    }


def moving_bank(folder: Path, expect: dict[str, dict[str, Any]], **thresholds: str) -> TinyBank:
    rows = [f"{name},{value},2024-01-01,o,a,DEC-1,x\n" for name, value in sorted({**THRESHOLDS, **thresholds}.items())]
    header = "threshold_id,value,effective_from,owner,approved_by,decision_reference,description\n"
    policy = {"landing_thresholds": header + "".join(rows), "ledger_lines": LEDGER_LINES}
    settings = write_profile(folder, body(expect), **policy)
    return TinyBank(settings, load_profile(settings))


def accounts(count: int, **changed: str) -> list[dict[str, str]]:
    return [{**ACCOUNT, "account_id": f"A{number}", **changed} for number in range(1, count + 1)]


def balance(day: date, amount: str, account: str = "A1", currency: str = "CNY") -> dict[str, str]:
    return {"account_id": account, "balance_date": str(day), "currency_code": currency, "amount": amount}


def move(
    number: int,
    day: date,
    amount: str,
    account: str = "A1",
    currency: str = "CNY",
    hour: int = 3,
    reversal_of: str = "",
) -> dict[str, str]:
    return {
        "transaction_id": f"T{number}",
        "account_id": account,
        "posted_at": f"{day}T{hour:02d}:00:00Z",
        "moved_on": str(day),
        "currency_code": currency,
        "amount": amount,
        "reversal_of": reversal_of,
    }


def ledger(day: date, amount: str, line: str = "2011", branch: str = "B1", currency: str = "CNY") -> dict[str, str]:
    return {"ledger_date": str(day), "line": line, "branch_id": branch, "currency_code": currency, "amount": amount}


def send(bank: TinyBank, day: date, **rows: list[dict[str, str]]) -> None:
    """Everything of one day; what is not given is one account and no event."""
    for name in ("accounts", "balances", "transactions", "ledger"):
        bank.send(f"core__{name}", rows.get(name, accounts(1) if name == "accounts" else []), day)


__all__ = ["FRIDAY", "TUESDAY", "accounts", "balance", "ledger", "move", "moving_bank", "send"]
