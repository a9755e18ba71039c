"""Landing: immutable batches, each visible whole or not at all, the same whatever order they arrive in."""

import hashlib
import itertools
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from unit.tiny_bank import (
    BALANCE,
    CUSTOMER,
    FRIDAY,
    MONDAY,
    TUESDAY,
    TinyBank,
    customers,
    deliver,
    parquet_bytes,
    products,
    written,
)

from crm_warehouse import landing
from crm_warehouse.arrivals import late_arrivals, sequence_notes
from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import extract
from crm_warehouse.landing import (
    ACCEPTED,
    accepted_batches,
    batches_on,
    clear_arriving,
    current_batches,
    deliveries_arriving,
    land,
    redelivered,
    sequence_gaps,
    write_batch_index,
)

CUSTOMERS = "core__customers"


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    return TinyBank.below(tmp_path)


def send_and_land(tiny: TinyBank, name: str, sequence: int, day: date = MONDAY):
    """One customer of that name lands under that sequence number."""
    tiny.send(CUSTOMERS, [{**CUSTOMER, "customer_name": name}], day, sequence=sequence)
    return tiny.land(CUSTOMERS, day)


def current_names(tiny: TinyBank) -> list[str]:
    """Customer names in the batches in force."""
    batches = current_batches(tiny.settings, tiny.spec(CUSTOMERS), [MONDAY])
    return [
        name for batch in batches for name in pq.read_table(batch.folder / "rows.parquet")["customer_name"].to_pylist()
    ]


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_delivery_lands_in_the_folder_of_its_source_extract_date_and_batch(tiny):
    batch, is_new = send_and_land(tiny, "王芳", 1)
    assert is_new
    assert batch.folder == tiny.settings.landing / "core" / "customers" / "business_date=2026-06-01" / "batch=1"
    assert sorted(path.name for path in batch.folder.iterdir()) == ["customers.csv", "manifest.json", "rows.parquet"]


def test_what_came_in_is_kept_as_it_was(tiny):
    path = tiny.send(CUSTOMERS, [{**CUSTOMER, "customer_name": "𠮷"}])
    batch, _ = tiny.land(CUSTOMERS)
    assert (batch.folder / path.name).read_bytes() == path.read_bytes()


def test_a_manifest_says_what_was_received(tiny):
    rows = [BALANCE, {**BALANCE, "account_id": "A2"}]
    content = tiny.send("core__balances", rows).read_bytes()
    manifest = tiny.land("core__balances")[0].manifest
    sha256 = hashlib.sha256(content).hexdigest()
    fingerprint = manifest.pop("schema_fingerprint")
    assert len(fingerprint) == 16
    assert manifest == {
        "source": "core",
        "extract": "balances",
        "business_date": "2026-06-01",
        "batch": 1,
        "received_at": "2026-06-01T17:30:00+00:00",
        "file": "balances.csv",
        "sha256": sha256,
        "bytes": len(content),
        "rows_read": 2,
        "rows_rejected": [],
        "control": {
            "file": "balances.csv",
            "business_date": "2026-06-01",
            "sequence": "1",
            "rows": "2",
            "sha256": sha256,
            "sent_at": "2026-06-01T17:30:00Z",
            "total_balance_amount": "200.20",
        },
        "encoding": "gb18030",
    }


def test_a_manifest_names_rows_that_could_not_be_read(tmp_path):
    from dataclasses import replace

    from crm_warehouse.extract import extract

    tiny = TinyBank.below(tmp_path)
    spec = replace(tiny.spec(CUSTOMERS), control=False, last_row_may_be_cut=True)
    deliver(spec, tiny.settings.source_root, written(spec, customers(3)).rsplit(b"|", 2)[0])
    batch, _ = land(tiny.settings, spec, extract(tiny.profile, spec, tiny.settings.source_root, MONDAY))
    assert batch.manifest["rows_read"] == 3
    assert batch.manifest["rows_rejected"] == [{"source_row": 4, "reason": "7 fields instead of 9"}]


def test_the_schema_fingerprint_changes_only_with_the_columns(tiny):
    first = send_and_land(tiny, "王芳", 1)[0].manifest["schema_fingerprint"]
    assert send_and_land(tiny, "李明", 2)[0].manifest["schema_fingerprint"] == first
    tiny.send("core__balances", [BALANCE])
    assert tiny.land("core__balances")[0].manifest["schema_fingerprint"] != first


def test_received_at_is_what_the_control_file_says_never_the_clock(tiny):
    tiny.send(CUSTOMERS, [CUSTOMER], sent_at="2026-06-01T23:59:59+08:00")
    assert tiny.land(CUSTOMERS)[0].received_at.isoformat() == "2026-06-01T15:59:59+00:00"


def test_received_at_without_control_file_is_the_agreed_cut_off_never_the_clock(tiny):
    tiny.send_products()
    assert tiny.land("wealth__products")[0].received_at.isoformat() == "2026-06-01T18:00:00+00:00"


def test_landing_the_same_deliveries_elsewhere_gives_the_same_bytes(tmp_path):
    found = []
    for name in ("one", "two"):
        tiny = TinyBank.below(tmp_path / name)
        tiny.send_all(customers(5), [BALANCE])
        tiny.land_all()
        found.append(files_below(tiny.settings.landing))
    assert found[0] == found[1]


def test_the_same_bytes_land_once(tiny):
    first, is_new = send_and_land(tiny, "王芳", 1)
    before = files_below(tiny.settings.landing)
    again, is_new_again = tiny.land(CUSTOMERS)
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert files_below(tiny.settings.landing) == before


def test_the_same_bytes_under_a_new_sequence_land_once(tiny):
    first, _ = send_and_land(tiny, "王芳", 1)
    again, is_new = send_and_land(tiny, "王芳", 2)
    assert (again.folder, is_new) == (first.folder, False)


def test_the_same_bytes_on_another_date_are_another_delivery(tiny):
    friday, _ = send_and_land(tiny, "王芳", 1, FRIDAY)
    monday, is_new = send_and_land(tiny, "王芳", 1, MONDAY)
    assert is_new and monday.folder != friday.folder


def test_other_bytes_under_the_same_sequence_are_refused_and_change_nothing(tiny):
    send_and_land(tiny, "王芳", 1)
    before = files_below(tiny.settings.landing)
    with pytest.raises(ExtractError) as refused:
        send_and_land(tiny, "李明", 1)
    for part in ("customers.csv", "sequence 1 of 2026-06-01", "must carry the next sequence number"):
        assert part in str(refused.value)
    assert files_below(tiny.settings.landing) == before


def test_a_corrected_sequence_lands_beside_and_the_first_stays(tiny):
    first, _ = send_and_land(tiny, "王芳", 1)
    before = files_below(first.folder)
    second, is_new = send_and_land(tiny, "李明", 2)
    assert is_new and (second.number, second.folder.parent) == (2, first.folder.parent)
    assert files_below(first.folder) == before


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 10])))
def test_the_highest_sequence_wins_whatever_the_order_of_arrival(tiny, order):
    for sequence in order:
        send_and_land(tiny, f"名{sequence}", sequence)
    assert current_names(tiny) == ["名10"]


def test_the_same_bytes_under_a_new_sequence_are_kept_and_change_nothing_in_force(tiny):
    first, _ = send_and_land(tiny, "王芳", 1)
    send_and_land(tiny, "王芳", 2)
    landed = batches_on(tiny.settings, tiny.spec(CUSTOMERS), MONDAY)
    assert ([batch.number for batch in landed], redelivered(landed), sequence_gaps(landed)) == ([1, 2], [2], [])
    assert current_batches(tiny.settings, tiny.spec(CUSTOMERS), [MONDAY]) == [first]


def test_a_then_b_then_a_puts_a_back_in_force(tiny):
    for sequence, name in ((1, "王芳"), (2, "李明")):
        send_and_land(tiny, name, sequence)
    third, is_new = send_and_land(tiny, "王芳", 3)
    assert (third.number, is_new) == (3, True)
    assert current_names(tiny) == ["王芳"]


def test_a_then_b_then_a_without_sequence_puts_a_back_in_force(tiny):
    spec = tiny.spec("wealth__products")
    for rows in (2, 1, 2):
        deliver(spec, tiny.settings.source_root, parquet_bytes(products().slice(0, rows)))
        batch, is_new = tiny.land("wealth__products")
        assert is_new and pq.read_metadata(batch.folder / "rows.parquet").num_rows == rows
    assert current_batches(tiny.settings, spec, [MONDAY]) == [batch]
    assert tiny.land("wealth__products") == (batch, False)


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3, 4])))
def test_with_repeats_and_corrections_the_order_of_arrival_changes_nothing(tiny, order):
    """A, B, A, A: the third is in force, with its own time, whatever came first."""
    for sequence in order:
        name = {1: "王芳", 2: "李明", 3: "王芳", 4: "王芳"}[sequence]
        tiny.send(
            CUSTOMERS,
            [{**CUSTOMER, "customer_name": name}],
            sequence=sequence,
            sent_at=f"2026-06-0{sequence + 1}T00:00Z",
        )
        tiny.land(CUSTOMERS)
    (batch,) = current_batches(tiny.settings, tiny.spec(CUSTOMERS), [MONDAY])
    assert (batch.number, batch.received_at.day, current_names(tiny)) == (3, 4, ["王芳"])


@pytest.mark.parametrize("order", list(itertools.permutations([(FRIDAY, 1), (MONDAY, 1), (MONDAY, 2)])))
def test_late_dates_and_corrections_in_any_order_give_the_same_landing(tiny, order):
    for day, sequence in order:
        send_and_land(tiny, f"名{day.day}{sequence}", sequence, day)
    found = [
        (batch.business_date, batch.number, batch.sha256)
        for batch in current_batches(tiny.settings, tiny.spec(CUSTOMERS), [FRIDAY, MONDAY])
    ]
    assert [(day, number) for day, number, _ in found] == [(FRIDAY, 1), (MONDAY, 2)]
    assert current_names(tiny) == ["名12"]


def test_gaps_in_a_days_sequence_are_known_until_they_are_filled(tiny):
    for sequence in (1, 4):
        send_and_land(tiny, f"名{sequence}", sequence)
    assert sequence_notes(tiny.settings, tiny.profile, [MONDAY]) == [
        {"table": CUSTOMERS, "business_date": "2026-06-01", "missing": [2, 3], "redelivered": []}
    ]
    for sequence in (2, 3):
        send_and_land(tiny, f"名{sequence}", sequence)
    assert sequence_notes(tiny.settings, tiny.profile, [MONDAY]) == []
    assert current_names(tiny) == ["名4"]


def test_a_first_delivery_in_the_order_of_dates_is_not_late(tiny):
    accept(send_and_land(tiny, "王芳", 1, FRIDAY)[0])
    send_and_land(tiny, "王芳", 1, MONDAY)
    assert late_arrivals(tiny.settings, tiny.profile, [FRIDAY, MONDAY]) == []


def test_a_late_delivery_and_a_correction_say_which_dates_and_months_are_rebuilt(tiny):
    accept(send_and_land(tiny, "王芳", 1, MONDAY)[0], send_and_land(tiny, "王芳", 1, TUESDAY)[0])
    send_and_land(tiny, "李明", 1, FRIDAY)
    send_and_land(tiny, "李明", 2, TUESDAY)
    expected = {
        "table": CUSTOMERS,
        "business_date": "2026-05-29",
        "batch": 1,
        "kind": "late",
        "rebuild_from": "2026-05-29",
        "rebuild_to": "2026-06-02",
        "business_dates": 3,
        "months": ["2026-05", "2026-06"],
    }
    corrected = {"batch": 2, "kind": "correction", "business_dates": 1, "months": ["2026-06"]}
    corrected |= {"business_date": "2026-06-02", "rebuild_from": "2026-06-02"}
    found = late_arrivals(tiny.settings, tiny.profile, [FRIDAY, MONDAY, TUESDAY])
    assert found == [expected, {**expected, **corrected}]


def test_what_is_accepted_is_no_longer_late(tiny):
    accept(send_and_land(tiny, "王芳", 1, MONDAY)[0], send_and_land(tiny, "李明", 1, FRIDAY)[0])
    assert late_arrivals(tiny.settings, tiny.profile, [FRIDAY, MONDAY]) == []


def test_a_delivery_made_on_another_disk_lands_whole(tiny, tmp_path):
    tiny.send(CUSTOMERS, [CUSTOMER])
    spec = tiny.spec(CUSTOMERS)
    delivery = extract(tiny.profile, spec, tiny.settings.source_root, MONDAY, tmp_path / "elsewhere")
    batch, _ = land(tiny.settings, spec, delivery)
    assert sorted(path.name for path in batch.folder.iterdir()) == ["customers.csv", "manifest.json", "rows.parquet"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_correction_without_control_file_is_the_next_batch(tiny):
    tiny.send_products()
    tiny.land("wealth__products")
    spec = tiny.spec("wealth__products")
    deliver(spec, tiny.settings.source_root, parquet_bytes(products().slice(0, 1)))
    batch, is_new = tiny.land("wealth__products")
    assert (batch.number, is_new) == (2, True)
    assert current_batches(tiny.settings, spec, [MONDAY]) == [batch]


def test_a_crash_before_the_rename_leaves_nothing_visible_and_is_cleared(tiny):
    arriving = tiny.settings.landing / ".arriving" / "0123456789abcdef"
    arriving.mkdir(parents=True)
    (arriving / "customers.csv").write_bytes(b"customer_id|custo")
    assert current_batches(tiny.settings, tiny.spec(CUSTOMERS), [MONDAY]) == []
    assert accepted_batches(tiny.settings, tiny.profile, MONDAY) == []
    clear_arriving(tiny.settings)
    assert not arriving.parent.exists()
    assert send_and_land(tiny, "王芳", 1)[1]


def test_what_another_run_makes_ready_is_not_cleared_away(tiny):
    with deliveries_arriving(tiny.settings):
        (arriving := tiny.settings.landing / ".arriving" / "0123456789abcdef").mkdir(parents=True)
        clear_arriving(tiny.settings)
        assert arriving.is_dir()
    clear_arriving(tiny.settings)
    assert not arriving.exists()


def test_what_another_run_lands_while_this_one_looks_is_compared_too(tiny, monkeypatch):
    tiny.send(CUSTOMERS, customers(1))
    batches_of_day, looked = landing.batches_of_day, []

    def look(spec, day_folder):
        found = batches_of_day(spec, day_folder)
        if not looked:  # another run lands it just after
            looked.append(True)
            tiny.land(CUSTOMERS)
        return found

    monkeypatch.setattr(landing, "batches_of_day", look)
    batch, is_new = tiny.land(CUSTOMERS)
    assert (batch.number, is_new) == (1, False)


@pytest.mark.parametrize("same", [True, False])
def test_of_two_runs_that_land_one_delivery_at_once_the_faster_one_s_stays(tiny, monkeypatch, same):
    tiny.send(CUSTOMERS, customers(1))
    move_in, faster = landing._move_in, []

    def slowly(settings, spec, delivery, folder, number):
        if not faster:  # another run lands it just before
            faster.append(True)
            if not same:
                tiny.send(CUSTOMERS, customers(2))
            tiny.land(CUSTOMERS)
        return move_in(settings, spec, delivery, folder, number)

    monkeypatch.setattr(landing, "_move_in", slowly)
    if same:
        batch, is_new = tiny.land(CUSTOMERS)
        assert not is_new
        assert current_batches(tiny.settings, tiny.spec(CUSTOMERS), [MONDAY]) == [batch]
    else:
        with pytest.raises(ExtractError, match="has landed with other content"):
            tiny.land(CUSTOMERS)


def test_a_crash_after_the_folder_of_the_day_leaves_a_day_without_batch(tiny):
    (tiny.settings.landing / "core" / "customers" / f"business_date={MONDAY}").mkdir(parents=True)
    assert current_batches(tiny.settings, tiny.spec(CUSTOMERS), [MONDAY]) == []
    assert accepted_batches(tiny.settings, tiny.profile, MONDAY) == []
    assert send_and_land(tiny, "王芳", 1)[1]


def test_landing_leaves_nothing_half_written(tiny):
    send_and_land(tiny, "王芳", 1)
    tiny.land(CUSTOMERS)
    assert list((tiny.settings.landing / ".arriving").iterdir()) == []


def test_clearing_where_nothing_arrives_is_no_error_and_landed_batches_stay(tiny):
    clear_arriving(tiny.settings)
    send_and_land(tiny, "王芳", 1)
    clear_arriving(tiny.settings)
    assert current_names(tiny) == ["王芳"]


def accept(*batches) -> None:
    for batch in batches:
        (batch.folder / ACCEPTED).touch()


def test_accepted_batches_are_those_known_as_of_a_date(tiny):
    landed = [send_and_land(tiny, "王芳", 1, day)[0] for day in (TUESDAY, FRIDAY, MONDAY)]
    accept(*landed)
    tuesday, friday, monday = landed
    assert accepted_batches(tiny.settings, tiny.profile, date(2026, 5, 28)) == []
    assert accepted_batches(tiny.settings, tiny.profile, FRIDAY) == [friday]
    assert accepted_batches(tiny.settings, tiny.profile, date(2026, 5, 31)) == [friday]
    assert accepted_batches(tiny.settings, tiny.profile, TUESDAY) == [friday, monday, tuesday]


def test_a_batch_that_the_gate_did_not_accept_does_not_replace_the_accepted_one(tiny):
    first, _ = send_and_land(tiny, "王芳", 1)
    second, _ = send_and_land(tiny, "李明", 2)
    assert accepted_batches(tiny.settings, tiny.profile, MONDAY) == []
    accept(first)
    assert accepted_batches(tiny.settings, tiny.profile, MONDAY) == [first]
    accept(second)
    assert accepted_batches(tiny.settings, tiny.profile, MONDAY) == [second]


def test_accepted_batches_are_in_the_order_of_the_profile(tiny):
    tiny.send_all([CUSTOMER], [BALANCE])
    accept(*(tiny.land(table)[0] for table in ("wealth__products", "core__balances", CUSTOMERS)))
    found = [batch.table for batch in accepted_batches(tiny.settings, tiny.profile, MONDAY)]
    assert found == [CUSTOMERS, "core__balances", "wealth__products"]


def test_the_batch_index_has_a_row_for_each_batch_in_force(tiny):
    batch, _ = send_and_land(tiny, "王芳", 3)
    (row,) = pq.read_table(write_batch_index(tiny.settings, [batch])).to_pylist()
    assert row == {
        "source_table": CUSTOMERS,
        "business_date": MONDAY,
        "batch": 3,
        "received_at": batch.received_at.replace(tzinfo=None),
        "sha256": batch.manifest["sha256"],
        "held_back": None,
    }


def test_a_batch_index_of_no_batch_keeps_its_columns(tiny):
    index = pq.read_table(write_batch_index(tiny.settings, []))
    assert index.num_rows == 0
    assert index.column_names == ["source_table", "business_date", "batch", "received_at", "sha256", "held_back"]
