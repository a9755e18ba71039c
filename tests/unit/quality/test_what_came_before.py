"""Rules that need the delivery before: each finds its known-bad delivery at its boundary, and a replay says the same."""

from dataclasses import replace
from datetime import date, timedelta

import pyarrow.parquet as pq
import pytest
from unit.moving_bank import accounts, balance, ledger, move, moving_bank, send
from unit.tiny_bank import FRIDAY, MONDAY, TUESDAY, TinyBank

from crm_warehouse.errors import GateFailed
from crm_warehouse.progress import silent
from crm_warehouse.quality.landing_gate import LandingVerdict, run_landing_gate
from crm_warehouse.quality.statistics import STATISTICS

PRICES = {"column": "amount", "date": "balance_date", "key": ["account_id"], "most": "price_move_max_share"}
ROLLS = {
    "rolls_forward": {
        "amount": "amount",
        "date": "balance_date",
        "key": ["account_id", "currency_code"],
        "movements": {
            "extract": "core.transactions",
            "key": ["account_id", "currency_code"],
            "amount": "amount",
            "date": "moved_on",
        },
        "accounts": {"extract": "core.accounts", "key": "account_id", "opened": "opened_on"},
    }
}
REVERSES = {
    "reverses": {
        "by": "reversal_of",
        "key": "transaction_id",
        "amount": "amount",
        "same": ["account_id", "currency_code"],
    }
}
OWNER = {"extract": "core.accounts", "key": "account_id", "branch": "branch_id"}
HELD = {
    "extract": "core.balances",
    "key": "account_id",
    "amount": "amount",
    "date": "balance_date",
    "currency": "currency_code",
    "product": "product_id",
    "product_of_owner": True,
    "owner": OWNER,
}
GROWS = {
    "grows_within_year": {
        "amount": "amount",
        "date": "ledger_date",
        "key": ["line", "branch_id", "currency_code"],
        "severity": "block",
        "lines": {"line": ["6021"]},
    }
}
TIES = {
    "ties_to_ledger": {
        "line": "line",
        "branch": "branch_id",
        "currency": "currency_code",
        "amount": "amount",
        "date": "ledger_date",
        "parts": [HELD],
    }
}
NEW = {"opened_on": str(MONDAY)}


def judge(bank: TinyBank, *days: date) -> LandingVerdict:
    bank.land_all(*days)
    return run_landing_gate(bank.settings, bank.profile, list(days), bank.settings.warehouse / "gate.duckdb", silent)


def not_passed(verdict: LandingVerdict) -> dict[str, int]:
    return {r.rule["id"].removeprefix("landing.core__"): r.failed_rows for r in verdict.gate.failures()}


def with_row(rows: list[dict], number: int, **changed: str) -> list[dict]:
    return [{**row, **changed} if index == number else row for index, row in enumerate(rows)]


# What is expected, what came on Friday, what on Monday, and which rules find how much.
CASES = {
    "none vanishes": ({"accounts": {"keys_stay": True}}, {"accounts": accounts(3)}, {"accounts": accounts(4)}, {}),
    "one of 200 vanishes: the agreed share": (
        {"accounts": {"keys_stay": True}},
        {"accounts": accounts(200)},
        {"accounts": accounts(199)},
        {"accounts.keys.stay": 1},
    ),
    "one of 199 vanishes: more than agreed": (
        {"accounts": {"keys_stay": True}},
        {"accounts": accounts(199)},
        {"accounts": accounts(198)},
        {"accounts.keys.stay": 1, "accounts.keys.few_vanish": 1},
    ),
    "an account leaves that may": (
        {"balances": {"keys_stay": {"key": ["account_id"], "may_leave_when": "before.amount = 0"}}},
        {"balances": [balance(FRIDAY, "0.00"), balance(FRIDAY, "1.00", "A2")]},
        {"balances": []},
        {"balances.keys.stay": 1, "balances.keys.few_vanish": 1},
    ),
    "an account begins on the day": (
        {"accounts": {"keys_stay": {"begins_on": "opened_on"}}},
        {"accounts": accounts(1)},
        {"accounts": with_row(accounts(2), 1, opened_on="2026-05-30")},
        {},
    ),
    "an account comes that had begun by the delivery before": (
        {"accounts": {"keys_stay": {"begins_on": "opened_on"}}},
        {"accounts": accounts(1)},
        {"accounts": with_row(accounts(2), 1, opened_on=str(FRIDAY))},
        {"accounts.keys.no_late_comer": 1},
    ),
    "a code is reused": (
        {"accounts": {"never_changes": ["product_id"]}},
        {"accounts": accounts(2)},
        {"accounts": with_row(accounts(2), 1, product_id="P2")},
        {"accounts.product_id.unchanged": 1},
    ),
    "who came back may begin anew": (
        {"accounts": {"never_changes": {"opened_on": "closed_on"}}},
        {"accounts": with_row(accounts(2), 1, closed_on="2024-01-01")},
        {"accounts": [{**row, **NEW} for row in accounts(2)]},
        {"accounts.opened_on.unchanged": 1},
    ),
    "two of twenty values change: too few to be many": (
        {"accounts": {"changes_rarely": ["grade"]}},
        {"accounts": accounts(20)},
        {"accounts": accounts(2, grade="silver") + accounts(20)[2:]},
        {},
    ),
    "three of sixty values change: the agreed share": (
        {"accounts": {"changes_rarely": ["grade"]}},
        {"accounts": accounts(60)},
        {"accounts": accounts(3, grade="silver") + accounts(60)[3:]},
        {},
    ),
    "three of 59 values change: more than agreed": (
        {"accounts": {"changes_rarely": ["grade"]}},
        {"accounts": accounts(59)},
        {"accounts": accounts(3, grade="silver") + accounts(59)[3:]},
        {"accounts.grade.few_change": 3},
    ),
    "one closed account opens again": (
        {"accounts": {"stays_once_set": ["closed_on"]}},
        {"accounts": with_row(accounts(2), 1, closed_on="2024-01-01")},
        {"accounts": accounts(2)},
        {"accounts.closed_on.stays": 1},
    ),
    "all closed accounts open again": (
        {"accounts": {"stays_once_set": ["closed_on"]}},
        {"accounts": accounts(3, closed_on="2024-01-01")},
        {"accounts": accounts(3)},
        {"accounts.closed_on.stays": 3, "accounts.closed_on.few_emptied": 3},
    ),
    "a movement posted twice under a new id, the same day": (
        {"transactions": {"comes_once": {"content": ["account_id", "posted_at", "amount"], "severity": "block"}}},
        {},
        {"transactions": [move(1, MONDAY, "5.00"), move(2, MONDAY, "5.00"), move(3, MONDAY, "5.01")]},
        {"transactions.content.once": 2},
    ),
    "a movement posted again on the next delivery": (
        {"transactions": {"comes_once": {"content": ["account_id", "posted_at", "amount"]}}},
        {"transactions": [move(1, FRIDAY, "5.00")]},
        {"transactions": [move(2, FRIDAY, "5.00")]},
        {"transactions.content.once": 1},
    ),
    "what is owed stays, then rises": (
        {"balances": {"does_not_rise": {"amount": "amount", "key": ["account_id"], "severity": "block"}}},
        {"balances": [balance(FRIDAY, "5.00"), balance(FRIDAY, "5.00", "A2")]},
        {"balances": [balance(MONDAY, "5.00"), balance(MONDAY, "5.01", "A2")]},
        {"balances.amount.does_not_rise": 1},
    ),
    "a price moves by a tenth, another by more": (
        {"balances": {"moves_within": PRICES}},
        {"balances": [balance(FRIDAY, "10.00"), balance(FRIDAY, "10.00", "A2"), balance(FRIDAY, "0.00", "A3")]},
        {"balances": [balance(MONDAY, "11.00"), balance(MONDAY, "8.99", "A2"), balance(MONDAY, "1.00", "A3")]},
        {"balances.amount.moves_within": 2},
    ),
    "no price moves": (
        {"balances": {"moves_within": PRICES}},
        {"balances": [balance(FRIDAY, "10.00"), balance(FRIDAY, "1.00", "A2")]},
        {"balances": [balance(MONDAY, "10.00"), balance(MONDAY, "1.00", "A2")]},
        {"balances.amount.moves": 1},
    ),
    "one price of two moves": (
        {"balances": {"moves_within": PRICES}},
        {"balances": [balance(FRIDAY, "10.00"), balance(FRIDAY, "1.00", "A2")]},
        {"balances": [balance(MONDAY, "10.01"), balance(MONDAY, "1.00", "A2")]},
        {},
    ),
    "a balance is explained by its movements": (
        {"balances": ROLLS},
        {"balances": [balance(FRIDAY, "10.00")], "transactions": [move(1, FRIDAY, "99.00")]},
        {
            "balances": [balance(MONDAY, "7.50")],
            "transactions": [move(2, FRIDAY + timedelta(days=1), "-3.00"), move(3, MONDAY, "0.50")],
        },
        {},
    ),
    "a balance is a cent off": (
        {"balances": ROLLS},
        {"balances": [balance(FRIDAY, "10.00")]},
        {"balances": [balance(MONDAY, "10.01")]},
        {"balances.amount.rolls_forward": 1},
    ),
    "a movement in another currency explains nothing": (
        {"balances": ROLLS},
        {"balances": [balance(FRIDAY, "10.00")]},
        {"balances": [balance(MONDAY, "15.00")], "transactions": [move(1, MONDAY, "5.00", currency="USD")]},
        {"balances.amount.rolls_forward": 1, "balances.amount.follows_movements": 1},
    ),
    "a new account begins with nothing": (
        {"balances": ROLLS},
        {},
        {
            "accounts": [*accounts(1), *with_row(accounts(3, **NEW), 1)[1:]],
            "balances": [balance(MONDAY, "5.00", "A2"), balance(MONDAY, "6.00", "A3"), balance(MONDAY, "7.00")],
            "transactions": [move(1, MONDAY, "5.00", "A2")],
        },
        {"balances.amount.rolls_forward": 1},
    ),
    "accounts add up to the ledger": (
        {"ledger": TIES},
        {},
        {
            "accounts": with_row(accounts(2), 1, product_id="P2"),
            "balances": [balance(MONDAY, "5.00"), balance(MONDAY, "6.00", "A2")],
            "ledger": [ledger(MONDAY, "11.00"), ledger(MONDAY, "99.00", line="2241")],
        },
        {},
    ),
    "the ledger is a cent off, and lacks a branch": (
        {"ledger": TIES},
        {},
        {
            "accounts": with_row(accounts(2), 1, branch_id="B2"),
            "balances": [balance(MONDAY, "5.00"), balance(MONDAY, "6.00", "A2")],
            "ledger": [ledger(MONDAY, "5.01")],
        },
        {"ledger.amount.ties_to_accounts": 2},
    ),
    "income of the year stays as it was, and what is owed to depositors falls": (
        {"ledger": GROWS},
        {"ledger": [ledger(FRIDAY, "11.00", line="6021"), ledger(FRIDAY, "11.00")]},
        {"ledger": [ledger(MONDAY, "11.00", line="6021"), ledger(MONDAY, "5.00")]},
        {},
    ),
    "income of the year falls by a cent at one branch": (
        {"ledger": GROWS},
        {"ledger": [ledger(FRIDAY, "11.00", line="6021"), ledger(FRIDAY, "11.00", line="6021", branch="B2")]},
        {"ledger": [ledger(MONDAY, "10.99", line="6021"), ledger(MONDAY, "11.01", line="6021", branch="B2")]},
        {"ledger.amount.grows_within_year": 1},
    ),
    "a movement is taken back on its own day and a day later": (
        {"transactions": REVERSES},
        {"transactions": [move(1, FRIDAY, "5.00"), move(2, FRIDAY, "-5.00"), move(3, FRIDAY, "6.00")]},
        {"transactions": [move(4, MONDAY, "-6.00", reversal_of="T3")]},
        {},
    ),
    "what is taken back is a cent more, or another account's": (
        {"transactions": REVERSES},
        {"transactions": [move(1, FRIDAY, "5.00")]},
        {"transactions": [move(2, MONDAY, "-5.01", reversal_of="T1"), move(3, MONDAY, "-5.00", "A2", reversal_of="T1")]},
        {"transactions.reversal_of.opposite": 2},
    ),
    "what is taken back never came": (
        {"transactions": REVERSES},
        {"transactions": [move(1, FRIDAY, "5.00")]},
        {"transactions": [move(2, MONDAY, "-5.00", reversal_of="T9")]},
        {"transactions.reversal_of.original_found": 1},
    ),
    "both accounts that had another grade have that of the rest": (
        {"accounts": {"keys_stay": True}},
        {"accounts": with_row(accounts(3, grade="silver"), 2, grade="gold")},
        {"accounts": accounts(3)},
        {"accounts.variety.stays": 1},
    ),
    "the one account that had another grade has that of the rest": (
        {"accounts": {"keys_stay": True}},
        {"accounts": with_row(accounts(3), 2, grade="silver")},
        {"accounts": accounts(3)},
        {},
    ),
    "two grades become one of two": (
        {"accounts": {"keys_stay": True}},
        {"accounts": with_row(accounts(4, grade="silver"), 2, grade="gold")},
        {"accounts": with_row(accounts(4), 2, grade="silver")},
        {},
    ),
    "two balances become empty, dates are of the day": (
        {"balances": {"keys_stay": {"key": ["account_id"], "as_of": "balance_date"}}},
        {"balances": [balance(FRIDAY, "1.00"), balance(FRIDAY, "2.00", "A2")]},
        {"balances": [balance(MONDAY, "0.00"), balance(MONDAY, "0.00", "A2")]},
        {"balances.variety.stays": 1},
    ),
    "the same id twice in a delivery": (
        {},
        {"transactions": [move(1, FRIDAY, "5.00")]},
        {"transactions": [move(2, MONDAY, "5.00"), move(2, MONDAY, "6.00")]},
        {"transactions.key_unique": 2},
    ),
    "Friday's movements again under Monday's date": (
        {"transactions": {"arrives": True}},
        {"transactions": [move(1, FRIDAY, "5.00")]},
        {"transactions": [move(1, MONDAY, "5.00")]},
        {"transactions.delivery.not_sent_before": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("in_one_run", [True, False], ids=["range", "day by day"])
@pytest.mark.parametrize(("expect", "before", "today", "found"), CASES.values(), ids=CASES)
def test_a_known_bad_delivery_fails_its_rule_alone_and_in_a_range(tmp_path, expect, before, today, found, in_one_run):
    bank = moving_bank(tmp_path, expect)
    send(bank, FRIDAY, **before)
    send(bank, MONDAY, **today)
    if not in_one_run:
        judge(bank, FRIDAY).require_open()
    verdict = judge(bank, *((FRIDAY, MONDAY) if in_one_run else (MONDAY,)))
    assert verdict.gate.run == verdict.gate.planned
    assert not_passed(verdict) == found


@pytest.mark.parametrize(("rows", "found"), [(4, {}), (5, {"transactions.delivery.not_sent_before": 1})])
def test_few_changes_may_be_those_of_yesterday_but_for_their_dates(tmp_path, rows, found):
    bank = moving_bank(tmp_path, {"transactions": {"arrives": True}})
    changing = [replace(e, delivery="changes") if e.name == "transactions" else e for e in bank.profile.extracts]
    bank = replace(bank, profile=replace(bank.profile, extracts=tuple(changing)))
    for day in (FRIDAY, MONDAY):
        send(bank, day, transactions=[move(number, day, "5.00") for number in range(rows)])
    assert not_passed(judge(bank, FRIDAY, MONDAY)) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("accounts_again.csv", {"accounts.delivery.alone": 1}),
        ("ACCOUNTS (2).csv", {"accounts.delivery.alone": 1}),
        ("nobody_knows.csv", {"accounts.delivery.alone": 1}),
        ("balances_2.csv", {}),  # like an extract of which this profile expects nothing
        ("accounts.csv.part", {}),
        (".accounts_again.csv", {}),
        ("accounts_again.ctl", {}),
    ],
)
def test_a_file_that_nobody_asked_for_is_seen_beside_the_delivery_it_is_like(tmp_path, name, found):
    bank = moving_bank(tmp_path, {"accounts": {"arrives": True}})
    send(bank, FRIDAY)
    there = bank.spec("core__accounts").path(bank.settings.source_root, FRIDAY)
    there.with_name(name).write_bytes(there.read_bytes())
    assert not_passed(judge(bank, FRIDAY)) == found


def test_the_first_delivery_ever_has_nothing_to_be_compared_with(tmp_path):
    bank = moving_bank(tmp_path, {"accounts": {"keys_stay": True}, "balances": ROLLS})
    send(bank, MONDAY, balances=[balance(MONDAY, "5.00")], transactions=[move(1, MONDAY, "1.00")])
    assert not_passed(judge(bank, MONDAY)) == {}


def test_a_broken_balance_names_its_account(tmp_path):
    bank = moving_bank(tmp_path, {"balances": ROLLS})
    send(bank, FRIDAY, balances=[balance(FRIDAY, "1.00")])
    send(bank, MONDAY, balances=[balance(MONDAY, "2.00")])
    verdict = judge(bank, FRIDAY, MONDAY)
    assert verdict.listed == {"landing.core__balances.amount.rolls_forward": [["A1", str(MONDAY)]]}
    with pytest.raises(GateFailed, match="rolls_forward"):
        verdict.require_open()


def test_an_event_is_looked_for_as_many_deliveries_back_as_policy_says(tmp_path):
    """Two back: Friday's event is found on Tuesday, and no longer on Wednesday; the window is the same in a range."""
    wednesday = TUESDAY + timedelta(days=1)
    for days in ((FRIDAY, MONDAY, TUESDAY), (FRIDAY, MONDAY, TUESDAY, wednesday)):
        bank = moving_bank(tmp_path / str(len(days)), {"transactions": {"comes_once": True}})
        for day in days:
            send(bank, day, transactions=[move(1, FRIDAY, "5.00")] if day in (FRIDAY, days[-1]) else [])
        for day in days[:-1]:
            judge(bank, day).require_open()
        found = not_passed(judge(bank, days[-1]))
        assert found == ({"transactions.key.not_sent_before": 1} if days[-1] == TUESDAY else {})


@pytest.mark.parametrize(
    ("control", "failed"),
    [
        ({"sent_at": "2026-06-01T16:00:00Z"}, set()),
        ({"sent_at": "2026-06-01T15:59:59Z"}, {"transactions.delivery.after_its_day"}),
        ({"sent_at": "2026-06-01T18:00:00Z"}, set()),
        ({"sent_at": "2026-06-01T18:00:01Z"}, {"transactions.delivery.in_time"}),
        ({"sequence": 2}, {"transactions.delivery.first", "transactions.delivery.in_sequence"}),
    ],
)
def test_a_delivery_comes_after_its_day_before_the_cut_off_and_in_sequence(tmp_path, control, failed):
    bank = moving_bank(tmp_path, {"transactions": {"arrives": True}})
    send(bank, MONDAY)
    bank.send("core__transactions", [], MONDAY, **control)
    assert set(not_passed(judge(bank, MONDAY))) == failed


def test_a_correction_that_corrects_nothing_is_shown(tmp_path):
    bank = moving_bank(tmp_path, {"accounts": {"arrives": True}})
    send(bank, MONDAY, accounts=accounts(2))
    bank.land_all(MONDAY)
    path = bank.send("core__accounts", accounts(2), MONDAY, sequence=2)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))  # the same rows in other bytes
    control = path.with_suffix(".ctl").read_text(encoding="utf-8").splitlines()
    import hashlib

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    told = [f"sha256={digest}" if line.startswith("sha256=") else line for line in control]
    path.with_suffix(".ctl").write_text("\n".join(told) + "\n", encoding="utf-8")
    assert set(not_passed(judge(bank, MONDAY))) == {
        "accounts.delivery.first",
        "accounts.delivery.corrects_something",
    }


def usual_day(day: date, hours: range) -> list[dict[str, str]]:
    number = day.toordinal() * 1000
    return [
        move(number + n, day, f"{n % 7 + 1}.{n % 10}1", f"A{n % 9}", hour=hours[n % len(hours)]) for n in range(200)
    ]


def weekdays(count: int) -> list[date]:
    """That many days of no special type: Tuesday to Friday from 3 March 2026 on, away from month ends."""
    days = (date(2026, 3, 3) + timedelta(days=n) for n in range(200))
    return [day for day in days if day.weekday() in (1, 2, 3, 4) and day.day < 28][:count]


@pytest.mark.parametrize(("learned", "caught"), [(9, False), (10, True)])
def test_an_hour_that_is_missing_is_found_once_enough_deliveries_are_known(tmp_path, learned, caught):
    bank = moving_bank(tmp_path, {"transactions": {"as_learned": True}})
    days = weekdays(learned + 1)
    for day in days:
        send(bank, day, transactions=usual_day(day, range(2, 4 if day == days[-1] else 7)))
    verdict = judge(bank, *days)
    assert ("transactions.learned.times" in not_passed(verdict)) == caught
    assert verdict.learned["counts"].get("outside", 0) == (3 if caught else 0)
    assert ("learning" in verdict.learned["counts"]) and set(verdict.learned["counts"]) <= {
        "learning", "inside", "near", "outside",
    }  # fmt: skip


def test_a_range_says_of_each_date_what_a_run_of_that_date_alone_says_and_keeps_the_same_bytes(tmp_path):
    expect = {
        "transactions": {"as_learned": True, "arrives": True},
        "accounts": {"as_learned": True, "keys_stay": True},
    }
    together, alone = moving_bank(tmp_path / "range", expect), moving_bank(tmp_path / "days", expect)
    days = weekdays(12)
    for bank in (together, alone):
        for day in days:
            send(bank, day, transactions=usual_day(day, range(2, 7)), accounts=accounts(50 + day.day))
    shown = {}
    for day in days:
        verdict = judge(alone, day)
        verdict.require_open()
        shown |= {key(row): row for row in verdict.learned["shown"]}
    verdict = judge(together, *days)
    verdict.require_open()
    assert {key(row): row for row in verdict.learned["shown"]} == shown
    files = {bank: statistics_of(bank) for bank in (together, alone)}
    assert files[together] == files[alone]
    assert len(files[alone]) == 24


def key(row: dict) -> tuple:
    return tuple(row[name] for name in ("source_table", "business_date", "column_name", "statistic", "code"))


def statistics_of(bank: TinyBank) -> dict[str, bytes]:
    root = bank.settings.landing
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob(STATISTICS)}


def test_statistics_hold_counts_and_never_a_personal_value(tmp_path):
    bank = moving_bank(tmp_path, {"accounts": {"as_learned": True}})
    send(bank, MONDAY, accounts=accounts(40))
    judge(bank, MONDAY).require_open()
    (file,) = bank.settings.landing.rglob(STATISTICS)
    rows = pq.read_table(file, partitioning=None).to_pylist()
    assert {"column_name", "statistic", "code", "observed", "base", "spread"} == set(rows[0])
    assert [row["observed"] for row in rows if row["statistic"] == "rows"] == [40]
    assert "account_id" not in {row["column_name"] for row in rows if row["statistic"] == "code"}
    assert {row["code"] for row in rows if row["column_name"] == "branch_id" and row["statistic"] == "code"} == {"B1"}
