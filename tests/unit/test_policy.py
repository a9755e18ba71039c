"""Dated policy: the value in force on a date, from the same files that dbt reads."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from crm_warehouse.errors import SettingsError
from crm_warehouse.policy import parameter, read_policy

ROWS = """parameter,value,effective_from
quarantine_max_share,0.010,2026-07-01
quarantine_max_share,0.005,2025-01-01
quarantine_max_share,0.020,2026-01-01
other,7,2020-01-01
"""


@pytest.fixture
def bank_folder(tmp_path: Path) -> Path:
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "policy_parameters.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("as_of", "value"),
    [
        (date(2025, 1, 1), "0.005"),
        (date(2025, 12, 31), "0.005"),
        (date(2026, 1, 1), "0.020"),
        (date(2026, 6, 30), "0.020"),
        (date(2026, 7, 1), "0.010"),
        (date(2030, 1, 1), "0.010"),
    ],
)
def test_a_dated_parameter_is_the_value_in_force_on_the_date_whatever_the_order_of_rows(bank_folder, as_of, value):
    assert parameter(bank_folder, "quarantine_max_share", as_of) == Decimal(value)


def test_a_parameter_is_an_exact_decimal(bank_folder):
    assert str(parameter(bank_folder, "quarantine_max_share", date(2026, 7, 1))) == "0.010"


@pytest.mark.parametrize(
    ("name", "as_of"), [("quarantine_max_share", date(2024, 12, 31)), ("no_such_parameter", date(2026, 1, 1))]
)
def test_no_value_in_force_is_refused_with_file_name_and_date(bank_folder, name, as_of):
    with pytest.raises(SettingsError) as refused:
        parameter(bank_folder, name, as_of)
    for part in (str(bank_folder), "policy_parameters.csv", name, str(as_of)):
        assert part in str(refused.value)


def test_a_missing_policy_file_is_named(tmp_path):
    with pytest.raises(SettingsError) as refused:
        read_policy(tmp_path, "calendar_exceptions")
    assert str(tmp_path / "policy" / "calendar_exceptions.csv") in str(refused.value)
    assert "every bank keeps its calendar exceptions there" in str(refused.value)


def test_a_quoted_line_break_in_a_policy_file_stays_in_its_value(tmp_path):
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "notes.csv").write_bytes('name,note\na,"一\r\n二"\n'.encode())
    assert read_policy(tmp_path, "notes") == [{"name": "a", "note": "一\r\n二"}]
