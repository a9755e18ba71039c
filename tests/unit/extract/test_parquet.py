"""Parquet files: columns matched exactly, values turned into text without loss."""

import os
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from unit.tiny_bank import DAY, TinyBank, deliver, parquet_bytes, products

from crm_warehouse.errors import ExtractError
from crm_warehouse.extract import Delivery, extract
from crm_warehouse.profile import Column, Extract


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBank:
    return TinyBank.below(tmp_path)


def read(tiny: TinyBank, content: bytes, spec: Extract | None = None) -> Delivery:
    spec = spec or tiny.spec("wealth__products")
    deliver(spec, tiny.settings.source_root, content)
    return extract(tiny.profile, spec, tiny.settings.source_root, DAY)


def refusal_of(tiny: TinyBank, content: bytes) -> str:
    """The sentence with which it is refused; it names the file."""
    with pytest.raises(ExtractError) as refused:
        read(tiny, content)
    assert "products.parquet" in str(refused.value)
    return str(refused.value)


def text_of(tiny: TinyBank, type_: str, values: pa.Array) -> list[str]:
    """The texts that a column of one declared type becomes."""
    spec = Extract(
        source="wealth",
        name="one",
        kind="parquet",
        file="one.parquet",
        delivery="full",
        columns=(Column("value", type_, key=True),),
    )
    return read(tiny, parquet_bytes(pa.table({"value": values})), spec).rows["value"].to_pylist()


def test_rows_are_text_in_the_order_of_the_profile_with_their_source_row(tiny):
    rows = read(tiny, parquet_bytes(products())).rows
    assert rows.to_pylist() == [
        {"product_id": "P1", "fee_rate": "0.000000000", "launched_on": "2020-01-01", "_source_row": 2},
        {"product_id": "P2", "fee_rate": "0.000000001", "launched_on": "2021-01-01", "_source_row": 3},
    ]


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        ("0", 9, "0.000000000"),
        ("1E-9", 9, "0.000000001"),
        ("-1E-9", 9, "-0.000000001"),
        ("0.045", 9, "0.045000000"),
        ("9999999999999999.99", 2, "9999999999999999.99"),
        ("-0.01", 2, "-0.01"),
        ("0", 2, "0.00"),
        ("12345678901234567890123456789012.123456", 6, "12345678901234567890123456789012.123456"),
        ("1E+5", 0, "100000"),
    ],
)
def test_a_decimal_is_plain_text_with_all_its_places_and_no_exponent(tiny, value, scale, text):
    assert text_of(tiny, "decimal", pa.array([Decimal(value)], pa.decimal128(38, scale))) == [text]


@pytest.mark.parametrize(
    ("type_", "array", "texts"),
    [
        ("text", pa.array(["007", "", " a ", "𠮷", None]), ["007", "", " a ", "𠮷", ""]),
        ("text", pa.array(["a"], pa.large_string()), ["a"]),
        ("integer", pa.array([0, -5, 2**62, None]), ["0", "-5", str(2**62), ""]),
        ("integer", pa.array([7], pa.int8()), ["7"]),
        ("boolean", pa.array([True, False, None]), ["true", "false", ""]),
        (
            "date",
            pa.array([date(2026, 2, 28), date(1899, 12, 31), None], pa.date32()),
            ["2026-02-28", "1899-12-31", ""],
        ),
        ("timestamp", pa.array([datetime(2026, 5, 31, 17, 30)], pa.timestamp("us")), ["2026-05-31T17:30:00Z"]),
    ],
)
def test_every_type_becomes_the_text_a_delimited_file_would_have(tiny, type_, array, texts):
    assert text_of(tiny, type_, array) == texts


MOMENT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import pyarrow as pa
from unit.tiny_bank import parquet_bytes
from crm_warehouse.extract import parquet
from crm_warehouse.extract.delivery import Received
from crm_warehouse.profile import Column, Extract

moment = datetime(2026, 5, 31, 17, 30, tzinfo=UTC)
original = Path(sys.argv[2])
original.write_bytes(parquet_bytes(pa.table({"value": pa.array([moment], pa.timestamp("us", sys.argv[1]))})))
spec = Extract("wealth", "one", "parquet", "one.parquet", "full", (Column("value", "timestamp", key=True),))
received = Received("one.parquet", "one.parquet", original, 0, "", moment.date(), 1, moment, {})
print(parquet.read(spec, received).rows["value"][0].as_py())
"""


@pytest.mark.parametrize(("machine", "stored"), [("Asia/Shanghai", "UTC"), ("UTC", "Asia/Shanghai")])
def test_an_instant_is_written_in_utc_whatever_zone_the_machine_is_in(tmp_path, machine, stored):
    """In a process of its own: DuckDB asks for the machine's zone once."""
    tests = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", MOMENT, stored, str(tmp_path / "one.parquet")],
        env={**os.environ, "TZ": machine, "PYTHONPATH": os.pathsep.join([str(tests), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "2026-05-31T17:30:00Z"


def test_an_instant_with_parts_of_a_second_loses_nothing_in_silence(tiny):
    """The text keeps them, or the file is refused."""
    moment = datetime(2026, 5, 31, 17, 30, 59, 999_000)
    try:
        (text,) = text_of(tiny, "timestamp", pa.array([moment], pa.timestamp("us")))
    except ExtractError:
        return
    assert text.startswith("2026-05-31T17:30:59.999")


def test_a_missing_column_is_refused(tiny):
    text = refusal_of(tiny, parquet_bytes(products().drop_columns("fee_rate")))
    assert "lacks fee_rate; its columns must match the profile exactly" in text


def test_an_added_column_is_refused(tiny):
    text = refusal_of(tiny, parquet_bytes(products().append_column("risk_level", pa.array(["R1", "R2"]))))
    assert "has unknown risk_level; its columns must match the profile exactly" in text


def test_reordered_columns_are_refused(tiny):
    assert "has its columns in another order" in refusal_of(
        tiny, parquet_bytes(products().select(["launched_on", "fee_rate", "product_id"]))
    )


@pytest.mark.parametrize(
    ("column", "array", "found", "declared"),
    [
        ("fee_rate", pa.array([0.1, 0.2]), "double", "fraction"),
        ("fee_rate", pa.array(["0.1", "0.2"]), "string", "fraction"),
        ("product_id", pa.array([1, 2]), "int64", "text"),
        ("launched_on", pa.array(["2020-01-01", "2021-01-01"]), "string", "date"),
        ("launched_on", pa.array([datetime(2020, 1, 1)] * 2), "timestamp", "date"),
    ],
)
def test_a_column_of_another_type_is_refused_with_both_types(tiny, column, array, found, declared):
    table = products()
    changed = table.set_column(table.column_names.index(column), column, array)
    text = refusal_of(tiny, parquet_bytes(changed))
    assert f"column {column} is {found}" in text and f"the profile says {declared}" in text


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.99])
def test_a_truncated_file_is_refused(tiny, kept):
    content = parquet_bytes(products())
    text = refusal_of(tiny, content[: int(len(content) * kept)])
    assert "is not a whole Parquet file" in text and "ask for the delivery again" in text


def test_text_in_place_of_parquet_is_refused(tiny):
    assert "is not a whole Parquet file" in refusal_of(tiny, b"product_id,fee_rate,launched_on\nP1,0,2020-01-01\n")


def test_damaged_pages_are_refused(tiny):
    """The footer is whole, the data is not: a block of the disk went bad before the sha256 was taken."""
    content = bytearray(parquet_bytes(products()))
    content[4:64] = b"\xff" * 60
    assert "ask for the delivery again" in refusal_of(tiny, bytes(content))


def test_zero_bytes_are_refused(tiny):
    assert "is empty (zero bytes)" in refusal_of(tiny, b"")


def test_a_file_without_rows_is_refused(tiny):
    assert "no rows" in refusal_of(tiny, parquet_bytes(products().slice(0, 0)))
