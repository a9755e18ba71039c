"""The landing gate: every rule finds its known-bad delivery, few bad rows are set aside, many or money shut the gate.

The control files agree with what is sent: everything here is wrong at the source.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from unit.tiny_bank import BALANCE, CUSTOMER, DAY, FRIDAY, TinyBank, customers, deliver, proofs, written

from crm_warehouse.errors import ExtractError, GateFailed
from crm_warehouse.landing import ACCEPTED, accepted_batches, current_batches
from crm_warehouse.progress import silent
from crm_warehouse.quality.landing_gate import LandingVerdict, run_landing_gate
from expectations.landing import build_rules

CUSTOMERS, BALANCES = "core__customers", "core__balances"


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    return TinyBank.below(tmp_path)


def judge(tiny: TinyBank, *days: date) -> LandingVerdict:
    """Land what was sent and run the gate over it."""
    days = days or (DAY,)
    tiny.land_all(*days)
    database = tiny.settings.warehouse / "landing_gate.duckdb"
    return run_landing_gate(tiny.settings, tiny.profile, list(days), database, silent)


def not_passed(verdict: LandingVerdict) -> dict[str, int]:
    """Rows against each rule that did not pass."""
    return {result.rule["id"]: result.failed_rows for result in verdict.gate.failures()}


def accepted(tiny: TinyBank, table: str, day: date = DAY) -> list[dict]:
    (batch,) = current_batches(tiny.settings, tiny.spec(table), [day])
    return pq.read_table(batch.folder / ACCEPTED).to_pylist() if batch.is_accepted else []


def with_bad_row(count: int, **bad: str) -> list[dict[str, str]]:
    """That many customers, the second of them wrong: source row 3."""
    rows = customers(count)
    rows[1] |= bad
    return rows


def test_good_data_passes_with_every_planned_rule_run_and_passed(tiny):
    tiny.send_all(customers(3), [BALANCE])
    verdict = judge(tiny)
    planned = len(build_rules(tiny.profile))
    assert planned > 20
    assert (verdict.gate.planned, verdict.gate.run, verdict.gate.passed) == (planned, planned, planned)
    verdict.require_open()


def test_rows_read_are_loaded_when_all_are_good(tiny):
    tiny.send_all(customers(3), [BALANCE])
    found = {
        count["table"]: (count["rows_read"], count["rows_loaded"], count["rows_quarantined"], count["rows_rejected"])
        for count in judge(tiny).batches
    }
    assert found == {CUSTOMERS: (3, 3, 0, 0), BALANCES: (1, 1, 0, 0), "wealth__products": (2, 2, 0, 0)}


def test_accepted_rows_are_typed_and_keep_their_source_row(tiny):
    tiny.send_all(
        [CUSTOMER, {**CUSTOMER, "customer_id": "C2", "income": "", "is_vip": "", "birth_date": " "}], [BALANCE]
    )
    judge(tiny).require_open()
    first, second = accepted(tiny, CUSTOMERS)
    assert (first["_source_row"], second["_source_row"]) == (2, 3)
    assert (str(first["income"]), str(first["score"]), first["visits"]) == ("1234.50", "0.045000000", 3)
    assert (first["birth_date"], first["is_vip"]) == (date(1980, 2, 25), True)
    assert (second["income"], second["is_vip"], second["birth_date"]) == (None, None, None)


def test_a_quiet_day_without_events_passes(tiny):
    tiny.send_all(customers(3), [])
    judge(tiny).require_open()
    assert accepted(tiny, BALANCES) == []
    assert len(accepted_batches(tiny.settings, tiny.profile, DAY)) == 3


def customers_are(**bad: str) -> Callable[[TinyBank], None]:
    return lambda tiny: tiny.send_all(with_bad_row(3, **bad), [])


def balances_are(**bad: str) -> Callable[[TinyBank], None]:
    return lambda tiny: tiny.send_all(customers(3), [BALANCE, {**BALANCE, "account_id": "A2", **bad}])


def balance_without_proof(**bad: str) -> Callable[[TinyBank], None]:
    """A balance that cannot be added up is sent with the total of the others: amounts left blank count as nothing."""

    def send(tiny: TinyBank) -> None:
        rows = [BALANCE, {**BALANCE, "account_id": "A2", **bad}]
        tiny.send_all(customers(3), [BALANCE])
        spec = tiny.spec(BALANCES)
        deliver(spec, tiny.settings.source_root, written(spec, rows), **{**proofs(spec, [BALANCE]), "rows": 2})

    return send


KNOWN_BAD = {
    "key twice": (balances_are(account_id="A1"), f"{BALANCES}.key_unique", 2),
    "key missing": (customers_are(customer_id=" "), f"{CUSTOMERS}.customer_id.present", 1),
    "required text missing": (customers_are(customer_name=""), f"{CUSTOMERS}.customer_name.present", 1),
    "required text of spaces": (customers_are(customer_name="   "), f"{CUSTOMERS}.customer_name.present", 1),
    "required number missing": (balance_without_proof(balance_amount=""), f"{BALANCES}.balance_amount.present", 1),
    "decimal that would round": (customers_are(income="1.005"), f"{CUSTOMERS}.income.readable", 1),
    "decimal with text after it": (customers_are(income="12.34元"), f"{CUSTOMERS}.income.readable", 1),
    "decimal in thousands": (customers_are(income="1,234.00"), f"{CUSTOMERS}.income.readable", 1),
    "decimal cut at its point": (customers_are(income="1234."), f"{CUSTOMERS}.income.readable", 1),
    "decimal cut before its digits": (customers_are(income="-"), f"{CUSTOMERS}.income.readable", 1),
    "decimal with exponent": (customers_are(income="1E+3"), f"{CUSTOMERS}.income.readable", 1),
    "decimal too large": (customers_are(income="12345678901234567.00"), f"{CUSTOMERS}.income.readable", 1),
    "not a number": (customers_are(income="NaN"), f"{CUSTOMERS}.income.readable", 1),
    "infinite": (customers_are(income="Infinity"), f"{CUSTOMERS}.income.readable", 1),
    "full-width digits": (customers_are(income="１２"), f"{CUSTOMERS}.income.readable", 1),
    "fraction that would round": (customers_are(score="0.0000000005"), f"{CUSTOMERS}.score.readable", 1),
    "integer with places": (customers_are(visits="3.7"), f"{CUSTOMERS}.visits.readable", 1),
    "integer too large": (customers_are(visits="9" * 19), f"{CUSTOMERS}.visits.readable", 1),
    "boolean in other words": (customers_are(is_vip="yes"), f"{CUSTOMERS}.is_vip.readable", 1),
    "31 February": (customers_are(birth_date="1980-02-31"), f"{CUSTOMERS}.birth_date.readable", 1),
    "29 February of a common year": (customers_are(birth_date="1981-02-29"), f"{CUSTOMERS}.birth_date.readable", 1),
    "day and month swapped": (customers_are(birth_date="1980-25-02"), f"{CUSTOMERS}.birth_date.readable", 1),
    "date in another form": (customers_are(birth_date="25.02.1980"), f"{CUSTOMERS}.birth_date.readable", 1),
    "year of two digits": (customers_are(birth_date="80-02-25"), f"{CUSTOMERS}.birth_date.readable", 1),
    "date with text after it": (customers_are(birth_date="1980-02-25 00:00"), f"{CUSTOMERS}.birth_date.readable", 1),
    "hour 25": (customers_are(seen_at="2026-05-31T25:00:00Z"), f"{CUSTOMERS}.seen_at.readable", 1),
    "instant without zone": (customers_are(seen_at="2026-05-31T17:30:00"), f"{CUSTOMERS}.seen_at.readable", 1),
    "unknown code": (customers_are(gender="woman"), f"{CUSTOMERS}.gender.known_code", 1),
    "code in capitals": (customers_are(gender="Female"), f"{CUSTOMERS}.gender.known_code", 1),
    "unknown customer": (balances_are(customer_id="C9"), f"{BALANCES}.customer_id.reference_found", 1),
    "leading zeros lost": (balances_are(customer_id="1"), f"{BALANCES}.customer_id.reference_found", 1),
    "characters lost": (customers_are(customer_name="王锟斤拷"), f"{CUSTOMERS}.texts.whole", 1),
    "empty in words": (customers_are(customer_name="NULL"), f"{CUSTOMERS}.texts.no_value_spelled_out", 1),
    "a text beyond measure": (customers_are(customer_name="王" * 101), f"{CUSTOMERS}.texts.length", 1),
}


def test_blanks_around_a_key_are_shown_and_the_row_is_read_without_them(tiny):
    tiny.send_all(with_bad_row(3, customer_id="C2 "), [{**BALANCE, "customer_id": "C2"}])
    verdict = judge(tiny)
    verdict.require_open()
    assert not_passed(verdict) == {f"landing.{CUSTOMERS}.codes.no_blanks_around": 1}
    assert [row["customer_id"] for row in accepted(tiny, CUSTOMERS)] == ["C1", "C2", "C3"]


@pytest.mark.parametrize(("send", "rule", "rows"), KNOWN_BAD.values(), ids=KNOWN_BAD)
def test_a_known_bad_delivery_fails_its_rule_and_no_other(tiny, send, rule, rows):
    send(tiny)
    verdict = judge(tiny)
    assert not_passed(verdict) == {f"landing.{rule}": rows}
    assert verdict.gate.run == verdict.gate.planned
    with pytest.raises(GateFailed):
        verdict.require_open()
    assert accepted_batches(tiny.settings, tiny.profile, DAY) == []


def test_every_kind_of_rule_that_a_profile_makes_has_a_known_bad_delivery(tiny):
    """`rows_present` cannot fail by a file (extraction refuses it): a test below empties a landed batch. The test above
    has a key with blanks, which the gate only shows."""
    made = {rule.id.rsplit(".", 1)[-1] for rule in build_rules(tiny.profile)}
    others = {"rows_present", "no_blanks_around"}
    assert made == {rule.rsplit(".", 1)[-1] for _, rule, _ in KNOWN_BAD.values()} | others


def test_a_full_extract_without_rows_is_caught_even_after_extraction(tiny):
    tiny.send_all(customers(3), [])
    tiny.land_all()
    (batch,) = current_batches(tiny.settings, tiny.spec(CUSTOMERS), [DAY])
    rows = pq.read_table(batch.folder / "rows.parquet")
    pq.write_table(rows.slice(0, 0), batch.folder / "rows.parquet")
    verdict = run_landing_gate(
        tiny.settings, tiny.profile, [DAY], tiny.settings.warehouse / "landing_gate.duckdb", silent
    )
    assert not_passed(verdict) == {f"landing.{CUSTOMERS}.rows_present": 1}
    with pytest.raises(GateFailed, match=r"rows_present .* on core__customers"):
        verdict.require_open()


def test_a_full_extract_may_repeat_its_keys_on_another_date(tiny):
    for day in (FRIDAY, DAY):
        tiny.send_all(customers(3), [], day)
    judge(tiny, FRIDAY, DAY).require_open()


def test_a_key_is_looked_at_within_a_delivery_so_that_a_date_says_the_same_alone_and_in_a_range(tiny):
    tiny.send_all(customers(3), [BALANCE], FRIDAY)
    tiny.send_all(customers(3), [BALANCE, BALANCE], DAY)
    twice = {f"landing.{BALANCES}.key_unique": 2}
    assert not_passed(judge(tiny, FRIDAY, DAY)) == twice
    assert not_passed(judge(tiny, DAY)) == twice
    assert not_passed(judge(tiny, FRIDAY)) == {}


def test_a_reference_must_be_found_on_its_own_date(tiny):
    tiny.send_all(customers(3), [], FRIDAY)
    tiny.send_all(customers(2), [{**BALANCE, "customer_id": "C3"}], DAY)
    assert not_passed(judge(tiny, FRIDAY, DAY)) == {f"landing.{BALANCES}.customer_id.reference_found": 1}


def test_a_shut_gate_says_in_one_sentence_which_rule_found_how_many_rows_and_what_to_do(tiny):
    tiny.send_all(customers(3), [BALANCE, BALANCE])
    with pytest.raises(GateFailed) as shut:
        judge(tiny).require_open()
    for part in (
        "the landing gate is shut",
        f"landing.{BALANCES}.key_unique",
        "2 bad of 2 rows",
        "Ask the source system",
    ):
        assert part in str(shut.value)
    assert "\n" not in str(shut.value)


def test_an_extract_that_has_not_landed_is_named(tiny):
    tiny.send_all(customers(3), [BALANCE])
    tiny.land(CUSTOMERS)
    tiny.land("wealth__products")
    with pytest.raises(ExtractError) as refused:
        run_landing_gate(tiny.settings, tiny.profile, [DAY], tiny.settings.warehouse / "gate.duckdb", silent)
    assert f"{BALANCES} for {DAY} has not landed" in str(refused.value)


def test_a_bad_row_is_set_aside_with_its_rule_and_source_row_and_the_rest_is_accepted(tiny):
    tiny.send_all(with_bad_row(200, gender="woman"), [])
    verdict = judge(tiny)
    verdict.require_open()
    rows = accepted(tiny, CUSTOMERS)
    assert len(rows) == 199
    assert [row["_source_row"] for row in rows] == [2, *range(4, 202)]
    assert "C2" not in {row["customer_id"] for row in rows}
    folder = tiny.settings.quarantine / "core" / "customers" / f"business_date={DAY}"
    (kept,) = pq.read_table(folder / "batch=1.parquet", partitioning=None).to_pylist()
    assert (kept["rule_id"], kept["_source_row"]) == (f"landing.{CUSTOMERS}.gender.known_code", 3)
    assert (kept["customer_id"], kept["gender"], kept["income"]) == ("C2", "woman", "1234.50")


def test_rows_read_are_loaded_quarantined_and_rejected_for_every_file(tiny):
    """One row with two faults is one row in quarantine."""
    tiny.send_all(with_bad_row(200, gender="woman", birth_date="1980-02-31"), [BALANCE])
    verdict = judge(tiny)
    counts = {count["table"]: count for count in verdict.batches}
    assert counts[CUSTOMERS]["rows_quarantined"] == 1
    assert counts[CUSTOMERS]["rows_loaded"] == 199
    for count in verdict.batches:
        assert count["rows_read"] == count["rows_loaded"] + count["rows_quarantined"] + count["rows_rejected"]
        assert count["rows_loaded"] == len(accepted(tiny, count["table"]))
    folder = tiny.settings.quarantine / "core" / "customers" / f"business_date={DAY}"
    kept = pq.read_table(folder / "batch=1.parquet", partitioning=None)["rule_id"].to_pylist()
    assert kept == [f"landing.{CUSTOMERS}.{rule}" for rule in ("birth_date.readable", "gender.known_code")]


@pytest.mark.parametrize(("rows", "opens"), [(200, True), (199, False)])
def test_half_a_percent_of_bad_rows_may_be_set_aside_and_more_shuts_the_gate(tiny, rows, opens):
    tiny.send_all(with_bad_row(rows, gender="woman"), [])
    verdict = judge(tiny)
    assert (verdict.too_many is None) == opens
    assert bool(accepted_batches(tiny.settings, tiny.profile, DAY)) == opens
    if not opens:
        with pytest.raises(GateFailed) as shut:
            verdict.require_open()
        for part in ("customers.csv", str(DAY), "1 bad of 199 rows", "more than 0.5% of the rows", "gender is one of"):
            assert part in str(shut.value)


def test_the_share_that_may_be_set_aside_is_the_banks_policy(tiny):
    path = tiny.settings.bank_folder / "policy" / "policy_parameters.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0.005", "0.5"), encoding="utf-8")
    tiny.send_all(with_bad_row(2, gender="woman"), [])
    judge(tiny).require_open()
    assert [row["customer_id"] for row in accepted(tiny, CUSTOMERS)] == ["C1"]


def test_any_bad_row_in_a_file_with_control_totals_shuts_the_gate(tiny):
    rows = [{**BALANCE, "account_id": f"A{number}"} for number in range(1000)]
    rows[7]["customer_id"] = "C9"
    tiny.send_all(customers(3), rows)
    verdict = judge(tiny)
    with pytest.raises(GateFailed, match=r"1 bad of 1000 rows \(the file carries money\)"):
        verdict.require_open()
    assert accepted_batches(tiny.settings, tiny.profile, DAY) == []
    assert not tiny.settings.quarantine.exists()


def test_what_refers_to_a_row_that_is_set_aside_is_found_too(tiny):
    """An accepted balance of a customer who is not accepted belongs to nobody."""
    tiny.send_all(with_bad_row(200, gender="woman"), [{**BALANCE, "customer_id": "C2"}])
    judge(tiny)
    orphans = {row["customer_id"] for row in accepted(tiny, BALANCES)} - {
        row["customer_id"] for row in accepted(tiny, CUSTOMERS)
    }
    assert orphans == set()


def bytes_of(tiny: TinyBank, root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.parquet")}


def test_accepting_twice_gives_the_same_bytes(tiny):
    tiny.send_all(with_bad_row(200, gender="woman"), [BALANCE])
    judge(tiny).require_open()
    first = bytes_of(tiny, tiny.settings.landing), bytes_of(tiny, tiny.settings.quarantine)
    judge(tiny).require_open()
    assert (bytes_of(tiny, tiny.settings.landing), bytes_of(tiny, tiny.settings.quarantine)) == first
    for file in tiny.settings.landing.rglob(ACCEPTED):
        file.unlink()
    judge(tiny).require_open()
    assert (bytes_of(tiny, tiny.settings.landing), bytes_of(tiny, tiny.settings.quarantine)) == first


def test_a_crash_while_rows_are_set_aside_loses_none_of_them_after_a_second_run(tiny):
    """The quarantine cannot be written (a file is in its place), then it can."""
    tiny.send_all(with_bad_row(200, gender="woman"), [])
    tiny.settings.quarantine.parent.mkdir(parents=True)
    tiny.settings.quarantine.touch()
    with pytest.raises(OSError):
        judge(tiny)
    tiny.settings.quarantine.unlink()
    judge(tiny).require_open()
    assert len(accepted(tiny, CUSTOMERS)) == 199
    assert len(list(tiny.settings.quarantine.rglob("*.parquet"))) == 1


def test_a_corrected_delivery_opens_a_gate_that_was_shut(tiny):
    tiny.send_all(with_bad_row(3, gender="woman"), [])
    assert judge(tiny).too_many
    tiny.send(CUSTOMERS, customers(3), DAY, sequence=2)
    verdict = judge(tiny)
    verdict.require_open()
    assert [count["batch"] for count in verdict.batches if count["table"] == CUSTOMERS] == [2]
    assert len(accepted(tiny, CUSTOMERS)) == 3


def test_no_value_of_a_row_is_in_the_verdict(tiny):
    canary = "CANARY-7f3a"
    rows = with_bad_row(3, customer_name=canary, gender=canary, birth_date=canary, income=canary)
    tiny.send_all(rows, [{**BALANCE, "customer_id": canary}])
    verdict = judge(tiny)
    assert len(not_passed(verdict)) == 4
    assert canary not in str(verdict.to_json()) + str(verdict.too_many)


def test_judging_changes_no_landed_file(tiny):
    tiny.send_all(with_bad_row(3, gender="woman"), [])
    tiny.land_all()
    before = {path: path.read_bytes() for path in tiny.settings.landing.rglob("*") if path.is_file()}
    judge(tiny)
    assert {path: path.read_bytes() for path in tiny.settings.landing.rglob("*") if path.is_file()} == before


def test_the_gates_database_is_made_anew_by_every_run(tiny):
    tiny.send_all(customers(3), [])
    judge(tiny)
    judge(tiny)
    with duckdb.connect(str(tiny.settings.warehouse / "landing_gate.duckdb"), read_only=True) as connection:
        assert connection.execute(f"select count(*) from {CUSTOMERS}").fetchone() == (3,)
