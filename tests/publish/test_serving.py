"""The same version in a real PostgreSQL: one transaction, never half a night, and what goes wrong is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg2
import pytest
from conftest import settings_in
from psycopg2 import extensions
from publish.candidates import flip_a_bit, publish, write_candidate_of
from publish.serving_database import ask, clean, role_with

from crm_warehouse.errors import ServingFailed
from crm_warehouse.evidence import log
from crm_warehouse.publish import serving, versions
from crm_warehouse.settings import Settings

CANARY = "canary-7f3b"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


@pytest.fixture
def database(postgresql: str) -> Iterator[str]:
    """The server, with nothing of ours in it before and after."""
    clean(postgresql)
    yield postgresql
    clean(postgresql)


def publish_table(settings: Settings, select: str, comment: str = "Text. 文本。") -> dict:
    """Publish a version with the one mart `a` that `select` makes."""
    statements = [f"create table marts.a as {select}", f"comment on table marts.a is '{comment}'"]
    file, audited = write_candidate_of(settings, statements, run_id=f"run_{len(versions.kept_versions(settings))}")
    return versions.publish(settings, file, audited, versions.take_lease(settings), False)


VALUES = """
    select * from (values
        ('=1+1, "quoted"', date '2026-06-30', timestamp '2026-06-30 01:02:03.456789', true, 1, 9007199254740993,
            cast(12345678901234.56 as decimal(18, 2)), cast(-0.000000001 as decimal(18, 9))),
        ('', null, null, null, null, null, null, null),
        (null, date '9999-12-31', timestamp '9999-12-31 00:00:00', false, -1, -1, -0.01, 1),
        (E'两行\\n\\t\\\\N \\\\.', null, null, null, null, null, null, null),
        ('\\.', null, null, null, null, null, null, null)
    ) as rows (text, day, moment, flag, small, large, amount, fraction)
"""


def test_every_type_arrives_exactly_and_an_empty_text_is_not_null(home: Settings, database: str):
    live = publish_table(home, VALUES)
    assert serving.serve(home, database)["is_new"]
    columns = "text, day::text, moment::text, flag, small, large, amount, fraction"
    with duckdb.connect(str(home.published / live["file"]), read_only=True) as file:
        columns_here = columns.replace("day::text", "cast(day as varchar)").replace(
            "moment::text", "cast(moment as varchar)"
        )
        expected = file.execute(f"select {columns_here} from marts.a order by text nulls first").fetchall()
    assert ask(database, f'select {columns} from marts.a order by text collate "C" nulls first') == expected
    types = "select column_name, data_type, numeric_precision, numeric_scale from information_schema.columns where table_schema = 'marts' and table_name = 'a' order by 1"
    assert ("amount", "numeric", 18, 2) in ask(database, types)


def test_the_database_says_which_version_it_serves_and_a_second_call_changes_nothing(home: Settings, database: str):
    live = publish(home, 1)
    assert serving.served_version(database) is None
    told = {name: live[name] for name in ("version", "bank", "business_date", "sha256")}
    assert serving.serve(home, database) == {**told, "is_new": True}
    before = ask(database, "select xmin::text from marts.a")
    assert serving.serve(home, database) == {**told, "is_new": False}
    assert ask(database, "select xmin::text from marts.a") == before
    assert serving.served_version(database) == told
    assert [e["event"] for e in log.read_entries(home)] == ["serving_followed"]


def test_a_rollback_takes_the_database_along(home: Settings, database: str):
    for n in (1, 2):
        publish(home, n)
        serving.serve(home, database)
    versions.rollback(home, None)
    serving.serve(home, database)
    assert ask(database, "select max(n) from marts.a") == [(1,)]
    assert serving.served_version(database)["version"] == versions.live_version(home)["version"]


def test_whoever_comes_late_brings_what_is_live_then(home: Settings, database: str, monkeypatch: pytest.MonkeyPatch):
    """A run that was paused before the database: when it wakes, a newer version is live, and that one is what it serves."""
    publish(home, 1)
    connect = serving.connect

    def paused(address: str, name: str) -> extensions.connection:
        monkeypatch.setattr(serving, "connect", connect)
        publish(home, 2)
        serving.serve(home, database)
        return connect(address, name)

    monkeypatch.setattr(serving, "connect", paused)
    assert not serving.serve(home, database)["is_new"]
    assert ask(database, "select max(n) from marts.a") == [(2,)]


def test_a_reader_in_one_transaction_sees_one_night_and_nobody_waits(home: Settings, database: str):
    publish(home, 1)
    serving.serve(home, database)
    with closing(psycopg2.connect(database)) as reader:
        reader.set_session(isolation_level="REPEATABLE READ")
        cursor = reader.cursor()
        cursor.execute("select max(n), count(*) from marts.a")
        assert cursor.fetchone() == (1, 3)
        publish(home, 2)
        serving.serve(home, database)  # does not wait for the reader
        cursor.execute("select max(n), count(*) from marts.b")
        assert cursor.fetchone() == (1, 3)
        reader.rollback()
        cursor.execute("select max(n), count(*) from marts.b")
        assert cursor.fetchone() == (2, 3)


def test_readers_see_no_mixed_night_in_any_statement_during_many_publishes(home: Settings, database: str):
    publish(home, 0)
    serving.serve(home, database)
    stop, seen, wrong = threading.Event(), set(), []
    query = "select min(a.n), max(a.n), min(b.n), max(b.n), count(*) from marts.a as a, marts.b as b"

    def read() -> None:
        with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not stop.is_set():
                cursor.execute(query)
                row = cursor.fetchone()
                seen.add(row[0])
                if len({*row[:4]}) != 1 or row[4] != 9:
                    wrong.append(row)

    readers = [threading.Thread(target=read) for _ in range(6)]
    for reader in readers:
        reader.start()
    try:
        for n in range(1, 16):
            publish(home, n)
            serving.serve(home, database)
    finally:
        stop.set()
        for reader in readers:
            reader.join(30)
    assert wrong == []
    assert len(seen) > 3


def test_a_publish_that_fails_half_way_leaves_the_old_night_whole_and_says_so(home: Settings, database: str):
    old = publish(home, 1)
    serving.serve(home, database)
    new = publish(home, 2)
    damaged = home.published / new["version"] / "b.parquet"
    flip_a_bit(damaged)
    with pytest.raises(ServingFailed, match=f"the files are live with {new['version']}, but PostgreSQL stays"):
        serving.serve(home, database)
    assert ask(database, "select max(a.n), max(b.n) from marts.a as a, marts.b as b") == [(1, 1)]
    assert serving.served_version(database)["version"] == old["version"]
    assert log.read_entries(home)[-1]["event"] == "serving_failed"
    flip_a_bit(damaged)
    assert serving.serve(home, database)["version"] == new["version"]


def test_columns_come_and_go_with_the_version_and_grants_stay(home: Settings, database: str):
    publish_table(home, "select 1::bigint as n, 'x' as old")
    serving.serve(home, database)
    with role_with(database, "analyst", "marts"):
        publish_table(home, "select 2::bigint as n, cast(1.5 as decimal(18, 2)) as new")
        serving.serve(home, database)
        assert [*map(str, ask(database, "select n, new from marts.a", "analyst")[0])] == ["2", "1.50"]
        versions.rollback(home, None)
        serving.serve(home, database)
        assert ask(database, "select * from marts.a", "analyst") == [(1, "x")]


def test_a_mart_that_is_gone_from_the_version_is_gone_from_the_database(home: Settings, database: str):
    publish(home, 1)
    serving.serve(home, database)
    publish_table(home, "select 1::bigint as n")
    serving.serve(home, database)
    tables = "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
    assert ask(database, tables) == [("a",), ("published_version",)]


def test_a_view_of_the_banks_own_on_a_column_that_goes_is_named_and_nothing_changes(home: Settings, database: str):
    publish_table(home, "select 1::bigint as n, 'x' as old")
    serving.serve(home, database)
    ask(database, "create schema bi; create view bi.mine as select old from marts.a")
    try:
        publish_table(home, "select 2::bigint as n")
        with pytest.raises(ServingFailed, match=r"objects of your own(.|\n)*bi\.mine"):
            serving.serve(home, database)
        assert ask(database, "select n, old from marts.a") == [(1, "x")]
    finally:
        ask(database, "drop schema bi cascade")


def test_descriptions_arrive_in_both_languages_and_change_with_the_version(home: Settings, database: str):
    comment = "select obj_description('marts.a'::regclass)"
    for text in ("One row. 每行一个。", "It''s other. 另一个。"):
        publish_table(home, f"select {len(text)}::bigint as n", text)
        serving.serve(home, database)
        assert ask(database, comment) == [(text.replace("''", "'"),)]


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://u:{CANARY}@127.0.0.1:1/db",
        f"postgresql://u:{CANARY}/x@127.0.0.1:1/db",
        f"host=127.0.0.1 password={CANARY}",
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_its_password(home: Settings, address: str):
    publish(home, 1)
    with pytest.raises(ServingFailed) as failed:
        serving.serve(home, address)
    assert CANARY not in str(failed.value)
    assert CANARY not in (home.evidence / "log.jsonl").read_text(encoding="utf-8")
    assert log.read_entries(home)[-1]["event"] == "serving_failed"


def test_another_bank_is_not_served_over_the_one_that_is_without_the_switch(home: Settings, database: str):
    publish(home, 1)
    serving.serve(home, database)
    publish(home, 2, bank="eagle_bank", switch_bank=True)
    with pytest.raises(ServingFailed, match="it serves reference_bank"):
        serving.serve(home, database)
    assert serving.serve(home, database, switch_bank=True)["bank"] == "eagle_bank"


def test_a_login_that_may_make_no_schema_serves_into_those_it_was_given(home: Settings, database: str):
    live = publish(home, 1)
    ask(database, "create role publisher login; create schema marts authorization publisher")
    ask(database, "create schema rm authorization publisher; create schema restricted authorization publisher")
    try:
        serving.serve(home, database.replace("postgresql://postgres:", "postgresql://publisher:"))
        assert serving.served_version(database)["version"] == live["version"]
        assert ask(database, "select tableowner from pg_tables where schemaname = 'marts' limit 1") == [("publisher",)]
    finally:
        clean(database)
        ask(database, "drop role publisher")
