"""The content hash of a table says what it holds, and nothing else."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_warehouse.publish.content import describe_tables

TYPES = ("VARCHAR", "BIGINT", "DECIMAL(18,2)", "DATE", "TIMESTAMP", "BOOLEAN", "INTEGER")
COLUMNS = [f"c{number}" for number in range(len(TYPES))]
ROWS = [
    ("王小明", 7, Decimal("-0.50"), date(2026, 6, 30), datetime(2026, 6, 30, 17, 30, 0, 25), True, -1),
    ("", 0, Decimal("1000000.00"), date(2025, 1, 1), datetime(2025, 1, 1), False, 0),
    (None, None, None, None, None, None, None),
    ("a\nb", 9_007_199_254_740_993, Decimal("0.10"), date(1999, 12, 31), datetime(2000, 1, 1, 0, 0, 1), None, 5),
]


def described(rows: list[tuple], types: tuple[str, ...] = TYPES, names: list[str] | None = None) -> dict:
    """What describe_tables says of a table with these rows."""
    names = names or COLUMNS[: len(types)]
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{name}" {type_}' for name, type_ in zip(names, types, strict=True))
        connection.execute(f"create schema marts; create table marts.t ({columns})")
        if rows:
            connection.executemany(f"insert into marts.t values ({', '.join('?' * len(types))})", rows)
        return describe_tables(connection, "marts")["t"]


def text_of(value: object) -> str | None:
    """A value as publish/content.py documents it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def recomputed(rows: list[tuple], types: list[str], names: list[str]) -> str:
    """The documented recipe, in Python alone."""
    sums = [0, 0, 0, 0]
    for row in rows:
        texts = [text_of(value) for value in row]
        joined = "".join("-" if text is None else f"{len(text)}:{text}" for text in texts)
        digest = hashlib.sha256(joined.encode()).hexdigest()
        for lane in range(4):
            sums[lane] = (sums[lane] + int(digest[16 * lane : 16 * lane + 16], 16)) % 2**64
    body = [*(f"{name} {type_}" for name, type_ in zip(names, types, strict=True)), str(len(rows)), *map(str, sums)]
    return hashlib.sha256("\n".join(body).encode()).hexdigest()


def test_hash_does_not_depend_on_row_order():
    assert described(ROWS) == described(ROWS[::-1]) == described(ROWS[2:] + ROWS[:2])


def test_hash_is_what_the_documented_recipe_gives_without_a_database():
    assert described(ROWS) == {"rows": 4, "content_hash": recomputed(ROWS, list(TYPES), COLUMNS)}


def test_hash_of_an_empty_table_is_what_the_documented_recipe_gives():
    assert described([]) == {"rows": 0, "content_hash": recomputed([], list(TYPES), COLUMNS)}


PLAIN_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\x1b\x1e\x1f"), max_size=8)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.none() | PLAIN_TEXT,
            st.none() | st.decimals("-1e15", "1e15", places=2),
            st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
        ),
        max_size=6,
    )
)
def test_hash_of_any_rows_is_what_the_documented_recipe_gives(rows: list[tuple]):
    types = ("VARCHAR", "DECIMAL(18,2)", "DATE")
    rows = [(text, amount if amount is None else amount + Decimal("0.00"), day) for text, amount, day in rows]
    assert described(rows, types)["content_hash"] == recomputed(rows, list(types), COLUMNS[:3])


def test_hash_of_every_published_mart_is_what_the_documented_recipe_gives(reference_run: Run):
    published = reference_run.summary["results"]["publish"]["tables"]
    with duckdb.connect(str(reference_run.published_file), read_only=True) as connection:
        for table, expected in published.items():
            columns = connection.execute(f"describe marts.{table}").fetchall()
            names, types = [name for name, *_ in columns], [type_ for _, type_, *_ in columns]
            rows = connection.execute(f"select * from marts.{table}").fetchall()
            found = {"rows": len(rows), "content_hash": recomputed(rows, types, names)}
            assert found == {name: expected[name] for name in found}, table


OTHER = ("王小明 ", 8, Decimal("-0.51"), date(2026, 7, 1), datetime(2026, 6, 30, 17, 30, 0, 26), False, -2)


@pytest.mark.parametrize("column", range(len(TYPES)))
def test_hash_changes_with_any_cell(column: int):
    changed = list(ROWS[0])
    changed[column] = OTHER[column]
    nulled = list(ROWS[0])
    nulled[column] = None
    hashes = {described([tuple(row), *ROWS[1:]])["content_hash"] for row in (ROWS[0], changed, nulled)}
    assert len(hashes) == 3


def test_hash_changes_with_a_duplicate_row():
    assert described(ROWS)["content_hash"] != described([*ROWS, ROWS[0]])["content_hash"]
    assert described([*ROWS, ROWS[0]])["content_hash"] != described([*ROWS, ROWS[0], ROWS[0]])["content_hash"]


def test_hash_changes_when_one_row_stands_for_another():
    assert (
        described([ROWS[0], ROWS[0], ROWS[1]])["content_hash"] != described([ROWS[0], ROWS[1], ROWS[1]])["content_hash"]
    )


def test_hash_tells_null_from_an_empty_text():
    assert described([(None,)], ("VARCHAR",)) != described([("",)], ("VARCHAR",))


def test_hash_tells_swapped_columns():
    two = ("VARCHAR", "VARCHAR")
    assert described([("x", "y")], two) != described([("y", "x")], two)
    assert described([("x", "y")], two) != described([("y", "x")], two, ["c1", "c0"])


def test_hash_changes_with_the_name_or_the_type_of_a_column():
    assert described([(1,)], ("INTEGER",)) != described([(1,)], ("INTEGER",), ["renamed"])
    assert described([(1,)], ("INTEGER",)) != described([(1,)], ("BIGINT",))


@pytest.mark.parametrize("separator", ["|", ",", "\t", "\n", "\\", '"', ""])
def test_hash_tells_where_one_value_ends_and_the_next_begins(separator: str):
    two = ("VARCHAR", "VARCHAR")
    assert described([(f"a{separator}b", "c")], two) != described([("a", f"b{separator}c")], two)


def test_hash_tells_where_a_value_ends_even_if_it_holds_the_separator():
    two = ("VARCHAR", "VARCHAR")
    assert described([("a\x1fb", "c")], two) != described([("a", "b\x1fc")], two)


def test_hash_tells_null_from_the_character_that_stands_for_it():
    assert described([(None,)], ("VARCHAR",)) != described([("\x1e",)], ("VARCHAR",))


def test_a_type_whose_text_differs_between_engines_is_refused():
    with pytest.raises(KeyError):
        described([(1.5,)], ("DOUBLE",))
