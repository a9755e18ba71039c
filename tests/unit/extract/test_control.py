"""The control file proves a delivery whole: its name, date, sha256, rows and totals, or it is refused."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unit.tiny_bank import BALANCE, CUSTOMER, DAY, FRIDAY, TinyBank, customers, deliver, written

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import Delivery, extract

BALANCES = [BALANCE, {**BALANCE, "account_id": "A2", "balance_amount": "-0.05"}]


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    return TinyBank.below(tmp_path)


@pytest.fixture
def zone_of_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def read(tiny: TinyBank, table: str = "core__balances", day=DAY) -> Delivery:
    return extract(tiny.profile, tiny.spec(table), tiny.settings.source_root, day)


def refusal_of(tiny: TinyBank, table: str = "core__balances") -> str:
    """The one sentence with which it is refused; it names the file."""
    with pytest.raises(ExtractError) as refused:
        read(tiny, table)
    assert table.removeprefix("core__") in str(refused.value)
    return str(refused.value)


def test_a_delivery_that_agrees_with_its_control_file_is_read(tiny):
    tiny.send("core__balances", BALANCES)
    received = read(tiny).received
    assert received.control["total_balance_amount"] == "100.05"
    assert received.sequence == 1


def test_a_missing_control_file_means_that_the_delivery_is_not_complete(tiny):
    tiny.send("core__balances", BALANCES).with_suffix(".ctl").unlink()
    text = refusal_of(tiny)
    assert "balances.ctl is missing" in text and "not complete yet" in text


@pytest.mark.parametrize("rows", [1, 3])
def test_a_count_off_by_one_is_refused_with_both_counts(tiny, rows):
    tiny.send("core__balances", BALANCES, rows=rows)
    assert f"has 2 rows but its control file says {rows}" in refusal_of(tiny)


@pytest.mark.parametrize("total", ["100.04", "100.06", "-100.05", "0"])
def test_a_total_off_by_a_cent_is_refused_with_both_totals(tiny, total):
    tiny.send("core__balances", BALANCES, total_balance_amount=total)
    assert f"balance_amount adds up to 100.05 but its control file says {total}" in refusal_of(tiny)


@pytest.mark.parametrize("total", ["100.05", "100.050000", "+100.05"])
def test_a_total_is_compared_as_a_number(tiny, total):
    tiny.send("core__balances", BALANCES, total_balance_amount=total)
    assert read(tiny).rows.num_rows == 2


def test_a_total_is_exact_where_floating_point_is_not(tiny):
    tiny.send("core__balances", [{**BALANCE, "account_id": f"A{n}", "balance_amount": "0.10"} for n in range(1000)])
    assert read(tiny).received.control["total_balance_amount"] == "100.00"


def test_a_sha256_that_differs_is_refused(tiny):
    path = tiny.send("core__balances", BALANCES)
    path.write_bytes(path.read_bytes().replace(b"A1", b"A9"))
    text = refusal_of(tiny)
    assert "its control file says sha256" in text and "damaged or mixed up" in text


def test_the_control_file_of_another_day_is_refused(tiny):
    tiny.send("core__balances", BALANCES, business_date=FRIDAY)
    assert f"says business_date {FRIDAY}, but it is {DAY}" in refusal_of(tiny)


def test_the_control_file_of_another_file_is_refused(tiny):
    tiny.send("core__balances", BALANCES, file="loans.csv")
    assert "says file loans.csv, but it is balances.csv" in refusal_of(tiny)


def test_yesterdays_file_and_control_file_under_todays_name_are_refused(tiny):
    yesterday = tiny.send("core__balances", BALANCES, FRIDAY)
    today = tiny.spec("core__balances").path(tiny.settings.source_root, DAY)
    today.parent.mkdir(parents=True)
    for suffix in (".csv", ".ctl"):
        today.with_suffix(suffix).write_bytes(yesterday.with_suffix(suffix).read_bytes())
    assert "business_date" in refusal_of(tiny)


@pytest.mark.parametrize(
    "name", ["file", "business_date", "sequence", "rows", "sha256", "sent_at", "total_balance_amount"]
)
def test_a_control_file_must_say_everything(tiny, name):
    tiny.send("core__balances", BALANCES, **{name: None})
    assert f"balances.ctl does not say {name};" in refusal_of(tiny)


def test_an_empty_control_file_says_nothing(tiny):
    tiny.send("core__balances", BALANCES).with_suffix(".ctl").write_bytes(b"")
    assert "does not say file, business_date, sequence, rows, sha256, sent_at, total_balance_amount" in refusal_of(tiny)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sequence", "one"),
        ("sequence", "1.5"),
        ("rows", "2 rows"),
        ("sent_at", "yesterday"),
        ("sent_at", "2026-02-31T00:00:00Z"),
        ("total_balance_amount", "1,000.00"),
    ],
)
def test_a_control_file_must_be_readable(tiny, name, value):
    tiny.send("core__balances", BALANCES, **{name: value})
    assert "must be whole numbers, totals decimals, sent_at a time" in refusal_of(tiny)


def test_a_control_file_in_another_encoding_is_refused(tiny):
    path = tiny.send("core__balances", BALANCES).with_suffix(".ctl")
    path.write_bytes(path.read_bytes() + "remark=日终".encode("gb18030") + b"\n")
    assert "balances.ctl" in refusal_of(tiny)


def test_a_control_file_with_windows_line_ends_is_read(tiny):
    path = tiny.send("core__balances", BALANCES).with_suffix(".ctl")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(tiny).rows.num_rows == 2


@pytest.mark.parametrize("amount", ["1OO.10", "100,10", "NaN", "1.0000001"])
def test_a_total_of_a_column_that_is_no_number_is_refused(tiny, amount):
    rows = [{**BALANCE, "balance_amount": amount}]
    path = tiny.settings.source_root
    deliver(
        tiny.spec("core__balances"), path, written(tiny.spec("core__balances"), rows), rows=1, total_balance_amount=100
    )
    text = refusal_of(tiny)
    assert "balance_amount" in text and "not a number" in text


def test_events_may_be_none_on_a_quiet_day_when_the_control_file_says_so(tiny):
    tiny.send("core__balances", [])
    assert read(tiny).rows.num_rows == 0


def test_no_events_are_refused_when_the_control_file_says_otherwise(tiny):
    tiny.send("core__balances", [], rows=2)
    assert "no rows" in refusal_of(tiny)


@pytest.mark.parametrize(("control", "rows", "is_read"), [(True, 0, True), (True, 2, False), (False, 0, False)])
def test_changes_may_be_none_only_when_the_control_file_says_so(tiny, control, rows, is_read):
    spec = replace(tiny.spec("core__balances"), delivery="changes", control=control)
    deliver(spec, tiny.settings.source_root, written(spec, []), rows=rows, total_balance_amount=0)
    if is_read:
        assert extract(tiny.profile, spec, tiny.settings.source_root, DAY).rows.num_rows == 0
    else:
        with pytest.raises(ExtractError, match="has a header but no rows"):
            extract(tiny.profile, spec, tiny.settings.source_root, DAY)


def test_a_full_extract_may_never_be_empty_whatever_its_control_file_says(tiny):
    tiny.send("core__customers", [])
    assert "has a header but no rows" in refusal_of(tiny, "core__customers")


def test_a_row_cut_off_is_refused_though_the_control_file_agrees(tiny):
    spec = tiny.spec("core__customers")
    content = written(spec, customers(3)).rsplit(b"|", 2)[0]
    deliver(spec, tiny.settings.source_root, content, rows=3)
    assert "row 4: 7 fields instead of 9" in refusal_of(tiny, "core__customers")


def test_received_at_is_when_the_control_file_says_it_was_sent_in_utc(tiny):
    tiny.send("core__customers", [CUSTOMER], sent_at="2026-06-02T01:30:00+08:00")
    received_at = read(tiny, "core__customers").received.received_at
    assert received_at == datetime(2026, 6, 1, 17, 30, tzinfo=UTC)
    assert received_at.isoformat() == "2026-06-01T17:30:00+00:00"


def test_received_at_without_control_file_is_the_cut_off_of_the_next_day_in_the_banks_zone(tiny):
    tiny.send_products()
    assert read(tiny, "wealth__products").received.received_at == datetime(2026, 6, 1, 18, 0, tzinfo=UTC)


def test_a_time_without_zone_does_not_depend_on_the_machine(tiny, zone_of_machine):
    """The same delivery landed on two machines must make the same warehouse."""
    tiny.send("core__customers", [CUSTOMER], sent_at="2026-06-02T01:30:00")
    found = []
    for zone in ("UTC", "Asia/Shanghai", "America/New_York"):
        zone_of_machine.setitem(os.environ, "TZ", zone)
        time.tzset()
        try:
            found.append(read(tiny, "core__customers").received.received_at.isoformat())
        except ExtractError as refused:  # to refuse it is right, too
            found.append(str(refused))
    assert len(set(found)) == 1
