"""Tables of a real PostgreSQL: one snapshot, exact text, or refused in one sentence with nothing landed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from unit.tiny_bank import DAY, FRIDAY, profile_body, write_profile

from crm_warehouse import pipeline
from crm_warehouse.errors import ExtractError, SettingsError, SourceInterrupted
from crm_warehouse.extract import Delivery, extract, postgresql
from crm_warehouse.extract.postgresql import Snapshot, open_snapshot
from crm_warehouse.landing import ACCEPTED, current_batches, land
from crm_warehouse.profile import Extract, Profile, load_profile
from crm_warehouse.profile_checks import ProfileRefused
from crm_warehouse.progress import silent
from crm_warehouse.settings import Settings

CANARY = "canary-8d02e7"
SOURCE = {
    "kind": "postgresql",
    "connection": "core_replica",
    "table": "core_banking.{extract}",
    "extracts": {
        "balances": {
            "delivery": "events",
            "business_date_column": "business_date",
            "columns": {
                "account_id": {"type": "text", "key": True},
                "opened_on": {"type": "date"},
                "posted_at": {"type": "timestamp"},
                "amount": {"type": "decimal", "control_total": True},
                "rate": {"type": "fraction"},
                "moves": {"type": "integer"},
                "is_open": {"type": "boolean"},
                "remark": {"type": "text"},
            },
        },
        "branches": {
            "delivery": "full",
            "columns": {"branch_id": {"type": "text", "key": True}, "branch_name": {"type": "text"}},
        },
    },
}
TABLES = """
    drop schema if exists core_banking cascade;
    create schema core_banking;
    create table core_banking.balances (
        business_date date not null, account_id varchar(20), opened_on date, posted_at timestamptz, amount numeric,
        rate numeric(18, 9), moves integer, is_open boolean, remark text
    );
    create table core_banking.branches (branch_id text, branch_name text);
    insert into core_banking.branches values ('B2', '静安'), ('B1', '黄浦');
"""
BALANCE = ("A1", "2020-02-29", "2026-06-02 01:30:00+08", "100.10", "0.045", 3, True, "老客户")


@dataclass
class Replica:
    """A core banking system's replica and the bank that reads it."""

    settings: Settings
    profile: Profile
    url: str
    connection: Any

    def spec(self, name: str = "balances") -> Extract:
        return next(spec for spec in self.profile.extracts_of("core_db") if spec.name == name)

    def run(self, statement: str, *values: object) -> list[tuple]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def post(self, *values: object, day=DAY) -> None:
        """One balance, in the order of the table."""
        self.run(f"insert into core_banking.balances values ({', '.join(['%s'] * 9)})", day, *values)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with open_snapshot(self.url, "core_replica") as snapshot:
            yield snapshot

    def read(self, name: str = "balances", day=DAY) -> Delivery:
        with self.snapshot() as snapshot:
            return extract(self.profile, self.spec(name), snapshot, day)

    def refusal(self, name: str = "balances") -> str:
        with pytest.raises(ExtractError) as refused:
            self.read(name)
        assert f"core_replica: core_banking.{name} of {DAY}" in str(refused.value)
        assert "\n" not in str(refused.value)
        return str(refused.value)


@pytest.fixture
def replica(tmp_path: Path, postgresql: str) -> Iterator[Replica]:
    body = profile_body()
    body["sources"]["core_db"] = SOURCE
    settings = write_profile(tmp_path, body)
    connection = psycopg2.connect(postgresql)
    connection.autocommit = True
    replica = Replica(settings, load_profile(settings), postgresql, connection)
    replica.run(TABLES)
    yield replica
    connection.close()


def values_of(replica: Replica, column: str) -> list[str]:
    return replica.read().rows[column].to_pylist()


def test_every_value_is_the_text_a_delimited_file_would_have(replica):
    replica.post(*BALANCE)
    assert replica.read().rows.to_pylist() == [
        {
            "account_id": "A1",
            "opened_on": "2020-02-29",
            "posted_at": "2026-06-01T17:30:00Z",
            "amount": "100.10",
            "rate": "0.045000000",
            "moves": "3",
            "is_open": "true",
            "remark": "老客户",
            "_source_row": 2,
        }
    ]


@pytest.mark.parametrize("amount", ["0.00", "-0.01", "1.005", "9999999999999999.99", "12345678901234567.89", "100"])
def test_a_number_is_exact_to_its_last_place(replica, amount):
    replica.post("A1", None, None, amount, None, None, None, None)
    assert values_of(replica, "amount") == [amount]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-06-02 01:30:00+08", "2026-06-01T17:30:00Z"),
        ("2026-05-31 17:30:00.5Z", "2026-05-31T17:30:00.500000Z"),
        ("infinity", "infinity"),
        (None, ""),
    ],
)
def test_an_instant_is_written_in_utc_and_loses_nothing_in_silence(replica, moment, text):
    replica.post("A1", None, moment, None, None, None, None, None)
    replica.run("set timezone to 'America/New_York'")
    assert values_of(replica, "posted_at") == [text]


def test_the_servers_own_way_of_writing_dates_does_not_matter(replica):
    replica.post(*BALANCE)
    database = replica.run("select current_database()")[0][0]
    replica.run(f"alter database {database} set datestyle to 'German, DMY'")
    try:
        assert values_of(replica, "opened_on") == ["2020-02-29"]
    finally:
        replica.run(f"alter database {database} reset datestyle")


def test_null_and_empty_text_are_told_apart_in_the_original_and_are_both_no_value(replica):
    replica.post("A1", None, None, None, None, None, None, None)
    replica.post("A2", None, None, None, None, None, None, "")
    delivery = replica.read()
    assert delivery.rows["remark"].to_pylist() == ["", ""]
    assert delivery.received.original.read_bytes().splitlines()[1:] == [b"A1,,,,,,,", b'A2,,,,,,,""']


@pytest.mark.parametrize(
    "text", ["a,b", 'say "hi"', "two\nlines", "cr\rlf\r\n", "\\.", " padded ", "𠮷", "\ufeff", "\\N"]
)
def test_text_comes_through_whole(replica, text):
    replica.post("A1", None, None, None, None, None, None, text)
    replica.post("A2", None, None, None, None, None, None, "after")
    assert values_of(replica, "remark") == [text, "after"]


def test_only_rows_of_the_business_date_are_read(replica):
    replica.post(*BALANCE, day=FRIDAY)
    replica.post("A2", *BALANCE[1:])
    assert values_of(replica, "account_id") == ["A2"]
    assert replica.read(day=FRIDAY).rows["account_id"].to_pylist() == ["A1"]


def test_a_column_cannot_be_called_as_landing_calls_its_own_date(replica):
    body = profile_body()
    columns = {**SOURCE["extracts"]["balances"]["columns"], "business_date": {"type": "date"}}
    body["sources"]["core_db"] = {
        **SOURCE,
        "extracts": {"balances": {**SOURCE["extracts"]["balances"], "columns": columns}},
    }
    with pytest.raises(ProfileRefused, match="business_date has a name that landing uses itself"):
        load_profile(write_profile(replica.settings.home, body))


def test_a_table_without_business_date_is_read_as_it_stands(replica):
    assert replica.read("branches").rows["branch_name"].to_pylist() == ["黄浦", "静安"]


def test_the_same_state_gives_the_same_bytes_in_key_order_whatever_order_the_rows_were_written_in(replica):
    for account in ("a1", "A10", "A2", "_1"):
        replica.post(account, *BALANCE[1:])
    first = replica.read()
    replica.run("create table core_banking.again as select * from core_banking.balances order by account_id desc")
    replica.run("drop table core_banking.balances")
    replica.run("alter table core_banking.again rename to balances")
    assert replica.read().received.sha256 == first.received.sha256
    assert first.rows["account_id"].to_pylist() == ["A10", "A2", "_1", "a1"]


def test_rows_of_one_key_have_an_order_too(replica):
    for remark in ("b", "a"):
        replica.post(*BALANCE[:7], remark)
    assert values_of(replica, "remark") == ["a", "b"]


def test_the_order_of_the_tables_columns_does_not_matter(replica):
    replica.run("alter table core_banking.branches drop column branch_id")
    replica.run("alter table core_banking.branches add column branch_id text")
    replica.run("update core_banking.branches set branch_id = branch_name")
    assert replica.read("branches").rows.column_names == ["branch_id", "branch_name", "_source_row"]


def test_rows_and_totals_are_proven_by_the_databases_own_count(replica):
    replica.run(
        "insert into core_banking.balances select %s, 'A' || n, null, null, 0.10 from generate_series(1, 1000) n", DAY
    )
    received = replica.read().received
    assert received.control == {"rows": "1000", "total_amount": "100.00"}
    assert received.witness == "the database"


def test_a_count_that_disagrees_is_refused(replica, monkeypatch):
    replica.post(*BALANCE)
    monkeypatch.setattr(postgresql, "_count", lambda *_: {"rows": "2", "total_amount": "100.10"})
    assert "has 1 rows but the database says 2" in replica.refusal()


def test_received_at_is_the_cut_off_and_never_the_clock(replica):
    replica.post(*BALANCE)
    received = replica.read().received
    assert received.received_at == datetime(2026, 6, 1, 18, 0, tzinfo=UTC)
    assert (received.sequence, received.file) == (None, "balances.csv")


def test_an_empty_full_table_is_refused(replica):
    replica.run("truncate core_banking.branches")
    assert "has no rows; ask the core_db system" in replica.refusal("branches")


def test_a_day_without_events_is_a_delivery_of_none(replica):
    replica.post(*BALANCE, day=FRIDAY)
    assert replica.read().rows.num_rows == 0


def test_all_extracts_of_an_open_source_show_one_moment(replica):
    replica.post(*BALANCE)
    with replica.snapshot() as snapshot:
        assert extract(replica.profile, replica.spec(), snapshot, DAY).rows.num_rows == 1
        replica.post("A2", *BALANCE[1:])
        replica.run("insert into core_banking.branches values ('B3', '浦东')")
        assert extract(replica.profile, replica.spec("branches"), snapshot, DAY).rows.num_rows == 2
        assert extract(replica.profile, replica.spec(), snapshot, DAY).rows.num_rows == 1
    assert replica.read().rows.num_rows == 2


def test_nothing_can_be_written_through_an_open_source(replica):
    with (
        replica.snapshot() as snapshot,
        pytest.raises(psycopg2.errors.ReadOnlySqlTransaction),
        snapshot.connection.cursor() as cursor,
    ):
        cursor.execute("delete from core_banking.branches")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "alter column amount type double precision",
            "column amount is double precision; the profile says decimal, which is numeric",
        ),
        ("alter column amount type bigint", "column amount is bigint; the profile says decimal"),
        ("alter column rate type real", "column rate is real; the profile says fraction"),
        ("alter column account_id type integer using 1", "column account_id is integer; the profile says text"),
        ("alter column moves type text", "column moves is text; the profile says integer, which is bigint or integer"),
        ("alter column moves type numeric", "column moves is numeric; the profile says integer"),
        ("alter column opened_on type text", "column opened_on is text; the profile says date"),
        (
            "alter column posted_at type timestamp",
            "column posted_at is timestamp without time zone; the profile says timestamp, which is timestamp with",
        ),
        ("alter column is_open type text", "column is_open is text; the profile says boolean"),
        ("alter column business_date type text", "column business_date is text; the profile says date"),
        ("alter column remark type json using null", "column remark is json; the profile says text"),
    ],
)
def test_a_column_of_another_type_is_refused_with_both_types(replica, change, said):
    replica.post(*BALANCE)
    replica.run(f"alter table core_banking.balances {change}")
    assert said in replica.refusal()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("drop column rate", "lacks rate;"),
        ("drop column business_date", "lacks business_date;"),
        ("add column note text", "has unknown note;"),
        ("rename column rate to rates", "lacks rate and has unknown rates;"),
    ],
)
def test_columns_that_are_not_the_profiles_are_named(replica, change, said):
    replica.run(f"alter table core_banking.balances {change}")
    assert said in replica.refusal()


def test_a_table_that_is_not_there_is_said_so(replica):
    replica.run("drop table core_banking.balances")
    assert "does not exist or is hidden from this login" in replica.refusal()


def test_a_table_that_this_login_may_not_read_is_said_so(replica):
    replica.run("drop role if exists teller")
    replica.run("create role teller")
    replica.run("grant usage on schema core_banking to teller")
    try:
        with replica.snapshot() as snapshot, pytest.raises(ExtractError, match="may not be read by this login"):
            with snapshot.connection.cursor() as cursor:
                cursor.execute("set role teller")
            extract(replica.profile, replica.spec(), snapshot, DAY)
    finally:
        replica.run("drop owned by teller")
        replica.run("drop role teller")


def test_names_are_quoted_in_every_statement(replica):
    replica.run('create table core_banking."Select" ("from" text, "Where" date)')
    replica.run("insert into core_banking.\"Select\" values ('x', %s)", DAY)
    spec = replica.spec("branches")
    key = replace(spec.columns[0], name="from")
    odd = replace(spec, columns=(key,), database_table="core_banking.Select", business_date_column="Where")
    with replica.snapshot() as snapshot:
        assert extract(replica.profile, odd, snapshot, DAY).rows["from"].to_pylist() == ["x"]


class Severed:
    """A file that ends the reader's own session on the server when the first rows arrive."""

    def __init__(self, replica: Replica, sessions: list[int]) -> None:
        self.replica, self.sessions = replica, sessions

    def write(self, data: bytes) -> int:
        if self.sessions:
            self.replica.run("select pg_terminate_backend(%s)", self.sessions.pop())
        return len(data)

    def getvalue(self) -> bytes:
        raise AssertionError("half a table was taken for whole")


def sever(monkeypatch: pytest.MonkeyPatch, replica: Replica, times: int) -> list[int]:
    """Break the next `times` reads off in the middle of a table; what is counted is every reading begun."""
    begun = []
    copy = postgresql._copy

    def copy_severed(cursor, *arguments):
        begun.append(cursor.connection.get_backend_pid())
        if len(begun) > times:
            return copy(cursor, *arguments)
        cursor.copy_expert(
            "copy (select repeat('x', 1000) from generate_series(1, 300000)) to stdout", Severed(replica, begun[-1:])
        )
        raise AssertionError("the connection held")

    monkeypatch.setattr(postgresql, "_copy", copy_severed)
    return begun


def planned(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_WAREHOUSE_CONNECTION_CORE_REPLICA", replica.url)
    pipeline.plan_run(replica.settings, "r1", DAY, DAY)


def landed(replica: Replica) -> list[str]:
    return sorted(p.parent.parent.parent.name for p in replica.settings.landing.glob("core_db/*/*/*/manifest.json"))


def test_a_connection_dropped_in_the_middle_is_an_error_and_nothing_lands(replica, monkeypatch):
    replica.post(*BALANCE)
    sever(monkeypatch, replica, 1)
    with replica.snapshot() as snapshot, pytest.raises(SourceInterrupted, match=r"core_banking\.balances .* broke off"):
        land(replica.settings, replica.spec(), extract(replica.profile, replica.spec(), snapshot, DAY))
    assert not replica.settings.landing.exists()


def test_a_source_that_breaks_off_is_read_again_from_its_first_extract_in_a_new_snapshot(replica, monkeypatch):
    replica.post(*BALANCE)
    planned(replica, monkeypatch)
    begun, pauses = sever(monkeypatch, replica, 1), []
    result = pipeline.extract_source(replica.settings, "r1", "core_db", silent, sleep=pauses.append)
    assert (result["landed"], result["skipped"], pauses) == (2, 0, [2])
    assert landed(replica) == ["balances", "branches"]
    assert len(begun) == 3 and begun[0] != begun[1] == begun[2]


def test_reading_again_is_bounded(replica, monkeypatch):
    replica.post(*BALANCE)
    planned(replica, monkeypatch)
    begun, pauses = sever(monkeypatch, replica, 50), []
    with pytest.raises(ExtractError, match="broke off"):
        pipeline.extract_source(replica.settings, "r1", "core_db", silent, sleep=pauses.append)
    assert (len(begun), pauses, landed(replica)) == (3, [2, 4], [])
    assert "broke off" in pipeline.read_result(replica.settings, "r1", "extract_core_db")["problem"]


def test_a_state_that_did_not_change_lands_once_and_one_that_did_as_the_next_batch(replica, monkeypatch):
    replica.post(*BALANCE)
    planned(replica, monkeypatch)
    for expected in ((2, 0), (0, 2)):
        result = pipeline.extract_source(replica.settings, "r1", "core_db", silent)
        assert (result["landed"], result["skipped"]) == expected
    replica.post("A2", *BALANCE[1:])
    pipeline.extract_source(replica.settings, "r1", "core_db", silent)
    assert landed(replica) == ["balances", "balances", "branches"]


def test_a_table_that_shows_only_now_is_not_read_again_for_a_day_that_was_accepted(replica, monkeypatch):
    """By the time of a re-run it shows another day; a day that the gate refused is read again."""
    planned(replica, monkeypatch)
    for accept, batches in ((False, 1), (True, 2), (False, 2)):
        replica.run("insert into core_banking.branches values (gen_random_uuid()::text, 'new')")
        pipeline.extract_source(replica.settings, "r1", "core_db", silent)
        assert landed(replica).count("branches") == batches
        for batch in current_batches(replica.settings, replica.spec("branches"), [DAY]) if accept else []:
            (batch.folder / ACCEPTED).touch()


def test_what_landing_keeps_is_the_bytes_as_read(replica):
    replica.post(*BALANCE)
    delivery = replica.read()
    content = delivery.received.original.read_bytes()
    batch, _ = land(replica.settings, replica.spec(), delivery)
    assert (batch.folder / "balances.csv").read_bytes() == content
    assert batch.manifest["encoding"] == "utf-8"


@pytest.mark.parametrize(
    "address",
    [
        f"http://u:{CANARY}@127.0.0.1/db",
        f"host=127.0.0.1 password={CANARY}",
        f"postgresql://u:%zz{CANARY}@127.0.0.1/db",
        f"postgresql://u:pa/{CANARY}@127.0.0.1/db",
        f"postgresql://u:pa@{CANARY}@127.0.0.1/db",
        f"postgresql://127.0.0.1/db?nonsense={CANARY}",
        CANARY,
    ],
)
def test_an_address_that_is_none_is_refused_without_being_printed(address):
    with pytest.raises(SettingsError) as refused, open_snapshot(address, "core_replica"):
        pass
    assert "connection core_replica" in str(refused.value) and CANARY not in str(refused.value)


def test_a_database_that_is_not_there_is_said_so_without_the_password():
    with (
        pytest.raises(SourceInterrupted) as refused,
        open_snapshot(f"postgresql://u:{CANARY}@127.0.0.1:1/db", "core_replica"),
    ):
        pass
    assert "core_replica cannot be reached" in str(refused.value) and CANARY not in str(refused.value)


PEAK = """
import resource, sys
from dataclasses import replace
from datetime import date
from crm_warehouse.extract import postgresql
from crm_warehouse.extract.delivery import HashingFile
from crm_warehouse.profile import Column, Extract
spec = Extract("core", "wide", "postgresql", "", "full", (Column("id", "text", key=True),),
               database_table="core_banking.wide", business_date_column="business_date")
with postgresql.open_snapshot(sys.argv[1], "replica") as snapshot, snapshot.connection.cursor() as cursor:
    with open("/dev/null", "wb") as file:
        postgresql._copy(cursor, spec, date.fromisoformat(sys.argv[2]), HashingFile(file))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_follows_the_delivery_and_not_the_table(replica):
    replica.run("create table core_banking.wide (id text, business_date date)")
    replica.run("insert into core_banking.wide values ('1', %s)", DAY)

    def peak() -> int:
        command = [sys.executable, "-c", PEAK, replica.url, DAY.isoformat()]
        environment = {"PYTHONPATH": ":".join(sys.path)}
        return int(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)

    small = peak()
    replica.run("insert into core_banking.wide select repeat('x', 200), %s from generate_series(1, 300000)", FRIDAY)
    assert peak() - small < 20_000  # KiB; the table has 60,000 more
