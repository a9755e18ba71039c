"""Rules that money must follow: what moved explains what changed, and what accounts hold is what the ledger says.

| principle | written in `expect` | what fails |
|---|---|---|
| `rolls_forward` | the amount, its date, its account, the extract of movements | a balance that its movements do not explain (block) |
| `reverses` | the columns that name and make the original | a reversal of another amount or account; one without its original (warn) |
| `ties_to_ledger` | the ledger's columns and the `parts` it sums | a ledger cell that its accounts do not add up to (block) |

Tolerances are policy: `roll_forward_tolerance_amount`, `ledger_tolerance_amount`. Which product stands on which line of
the ledger is policy too (`ledger_lines.csv`); lines not named there belong to no customer and are not tied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm_warehouse.errors import SettingsError
from crm_warehouse.policy import read_policy
from crm_warehouse.profile import Extract, Profile
from crm_warehouse.quality.rule import Rule
from expectations.landing.declared import column_of, refusal, rule, value
from expectations.landing.history import compared, delivery_of, threshold, where


def rolls_forward(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """Opening balance + movements = closing balance, per account and currency, to the cent.

    The opening balance is that of the delivery before; an account that opened since begins with nothing. A balance with
    neither is not judged: its account sends a balance only when it moves.
    """
    key, amount, on = written["key"], written["amount"], written["date"]
    moves, accounts = _table(profile, written["movements"]["extract"]), _table(profile, written["accounts"]["extract"])
    moved, account = written["movements"], written["accounts"]
    keys = ", ".join(f'"{name}"' for name in key)
    kept = where("today", written.get("where", {}))
    opening = (
        f'select business_date, {keys}, sum("{amount}") as amount from past.{extract.table} as today'
        f' where today."{on}" = today.business_date{kept} group by all'
    )
    movement = (
        f'select today.business_date, {_aliased(key, moved["key"])}, sum(today."{moved["amount"]}") as amount'
        f" from {moves} as today join _deliveries as delivery on delivery.source_table = '{extract.table}'"
        f' and delivery.business_date = today.business_date where today."{moved["date"]}" > delivery.previous_date'
        f' and today."{moved["date"]}" <= today.business_date group by all'
    )
    join = " and ".join(f'{{0}}."{name}" = today."{name}"' for name in key)
    broken = (
        f'select today.business_date, today._source_row, today."{key[0]}" as account from {extract.table} as today'
        f" {delivery_of(extract)}"
        f" left join ({opening}) as opening on opening.business_date = delivery.previous_date and {join.format('opening')}"
        f" left join ({movement}) as movement on movement.business_date = today.business_date and {join.format('movement')}"
        f" left join {accounts} as account on account.business_date = today.business_date"
        f' and account."{account["key"]}" = today."{key[0]}"'
        f' where delivery.previous_date is not null and today."{on}" = today.business_date{kept}'
        f' and (opening.amount is not null or account."{account["opened"]}" > delivery.previous_date)'
        f' and abs(today."{amount}" - coalesce(opening.amount, 0) - coalesce(movement.amount, 0)) >'
        f" {threshold('roll_forward_tolerance_amount', 'today.business_date')}"
    )
    yield compared(
        extract,
        f"{amount}.rolls_forward",
        f"{amount} is that of the delivery before plus what moved since",
        f"{amount} 等于上一日余额加当期发生额",
        "A balance that its movements do not explain is wrong, or movements are missing.",
        "block",
        "accuracy",
        found=f"select business_date, _source_row from ({broken})",
        listing=f"select distinct account, business_date from ({broken}) order by all",
    )
    unbalanced = (
        f"select movement.* from ({movement}) as movement where movement.amount <> 0 and not exists (select 1 from"
        f' {extract.table} as today where today.business_date = movement.business_date and today."{on}" ='
        f" today.business_date{kept} and {join.format('movement')})"
    )
    yield compared(
        extract,
        f"{amount}.follows_movements",
        f"Each account that moved has its {amount}",
        f"有发生额的账户均有 {amount}",
        "What moved must have come to a balance.",
        "block",
        "completeness",
        missing=unbalanced,
        listing=f'select "{key[0]}", business_date from ({unbalanced}) order by all',
    )


def ties_to_ledger(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """The sum of what accounts hold, by line, branch and currency, is what the general ledger says of the date."""
    line, branch, currency = written["line"], written["branch"], written["currency"]
    lines = _lines(profile)
    sums = " union all ".join(_part(profile, part, lines) for part in written["parts"])
    summed = f"select business_date, line, branch, currency, sum(amount) as amount from ({sums}) group by all"
    tied = ", ".join(sorted({repr(code) for _, code, _ in lines}))
    ledger = (
        f'select business_date, "{line}" as line, "{branch}" as branch, "{currency}" as currency,'
        f' sum("{written["amount"]}") as amount from {extract.table} where "{written["date"]}" = business_date'
        f' and "{line}" in ({tied}) group by all'
    )
    off = (
        "select cell.business_date, line, branch, currency from (select business_date, line, branch, currency,"
        " coalesce(ledger.amount, 0) - coalesce(summed.amount, 0) as gap"
        f" from ({ledger}) as ledger full join ({summed}) as summed using (business_date, line, branch, currency)"
        f") as cell where abs(gap) > {threshold('ledger_tolerance_amount', 'cell.business_date')}"
    )
    yield compared(
        extract,
        f"{written['amount']}.ties_to_accounts",
        "Accounts add up to the general ledger by line, branch and currency",
        "账户合计与总账按科目、机构、币种核对一致",
        "Where accounts and ledger differ, one of them is wrong.",
        "block",
        "accuracy",
        missing=off,
        listing=off + " order by all",
    )


def _lines(profile: Profile) -> list[tuple[str, str, str]]:
    rows = read_policy(profile.folder, "ledger_lines")
    return [(row["product_id"], row["ledger_code"], row["effective_from"]) for row in rows]


def _part(profile: Profile, part: dict, lines: list[tuple[str, str, str]]) -> str:
    """What one extract adds to the ledger: its amounts under the line of their product and the branch of their owner."""
    owner = part["owner"]
    on = f' and held."{part["date"]}" = held.business_date' if "date" in part else ""
    currency = f'held."{part["currency"]}"' if "currency" in part else f"'{profile.reporting_currency}'"
    product = f'{"owner" if part.get("product_of_owner") else "held"}."{part["product"]}"'
    listed = ", ".join(f"('{product_id}', '{code}', date '{begins}')" for product_id, code, begins in lines)
    return (
        f'select held.business_date, line.code as line, owner."{owner["branch"]}" as branch, {currency} as currency,'
        f' held."{part["amount"]}" as amount from {_table(profile, part["extract"])} as held'
        f" join {_table(profile, owner['extract'])} as owner on owner.business_date = held.business_date"
        f' and owner."{owner["key"]}" = held."{part["key"]}"'
        f" asof join (values {listed}) as line(product_id, code, begins) on line.product_id = {product}"
        f" and held.business_date >= line.begins"
        f" where true{on}{where('held', part.get('where', {}))}"
    )


def _aliased(names: list[str], columns: list[str]) -> str:
    return ", ".join(f'today."{column}" as "{name}"' for name, column in zip(names, columns, strict=True))


def _table(profile: Profile, name: str) -> str:
    """The gate's table of `source.extract`."""
    found = next((e.table for e in profile.extracts if f"{e.source}.{e.name}" == name), None)
    if found is None:
        raise SettingsError(
            f"{profile.folder / 'extracts.yml'}: {name} is named in `expect`, but no extract is called so"
        )
    return found


def reverses(profile: Profile, extract: Extract, written: Any) -> Iterator[Rule]:
    """{by, key, amount, same}: a row that takes another back has its opposite amount, and the same in `same`.

    The original is looked for in its own delivery and in those before it, as far back as `comes_once_deliveries` says.
    """
    if missing := {"by", "key", "amount", "same"} - set(written):
        raise refusal(profile, extract, f"reverses lacks {', '.join(sorted(missing))}")
    by, key, amount = (column_of(profile, extract, written[part]).name for part in ("by", "key", "amount"))
    same = [column_of(profile, extract, name).name for name in written["same"]]
    fits = [f"{value(amount, 'original')} = -{value(amount, 'today')}"]
    fits += [f"{value(name, 'original')} = {value(name, 'today')}" for name in same]
    reversals = (
        f"select today.business_date, today._source_row from {extract.table} as today {delivery_of(extract)}"
        f" left join past.{extract.table} as original on {value(key, 'original')} = {value(by, 'today')}"
        " and original.business_date <= today.business_date"
        " and original.business_date >= coalesce(delivery.window_from, today.business_date)"
        f" where {value(by, 'today')} is not null group by all having count({value(key, 'original')})"
    )
    is_one = "(checked.business_date, checked._source_row) in (select (business_date, _source_row) from ({}))"
    yield rule(
        extract,
        f"{by}.opposite",
        is_one.format(f"{reversals} > 0 and count(*) filter ({' and '.join(fits)}) = 0"),
        name_en=f"What takes {by} back has its opposite amount, on the same {', '.join(same)}",
        name_zh=f"冲正记录与原记录（{by}）金额相反且 {'、'.join(same)} 相同",
        reason="A reversal of another amount or account leaves money where there is none.",
        dimension="consistency",
    )
    yield rule(
        extract,
        f"{by}.original_found",
        is_one.format(f"{reversals} = 0"),
        name_en=f"What {by} names came in this delivery or not long before",
        name_zh=f"{by} 所指原记录在本次或近期交付中存在",
        reason="A reversal without its original is a credit that nobody can explain; it may be of a much earlier day.",
        severity="warn",
        dimension="consistency",
    )
