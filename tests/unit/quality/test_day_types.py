"""Days of one type are compared with each other: what type a business date is."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from conftest import settings_in

from crm_warehouse.profile import Profile, load_profile
from crm_warehouse.quality.day_types import NAMES, day_type


@pytest.fixture
def profile(tmp_path) -> Profile:
    """The reference bank without its calendar: closed at weekends, and from 4 to 10 May."""
    bank = load_profile(settings_in(tmp_path / "home"))
    bank = replace(bank)
    bank.__dict__["calendar_exceptions"] = {date(2026, 5, 4) + timedelta(days=n): False for n in range(5)}
    return bank


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-01-28", "ordinary"),
        ("2026-01-29", "after the last due day"),
        ("2026-01-30", "month-end"),
        ("2026-03-30", "after the last due day"),  # a Monday
        ("2026-03-31", "quarter-end"),
        ("2026-02-27", "month-end"),
        ("2026-01-05", "after closed days"),
        ("2026-04-24", "festival"),
        ("2026-05-11", "after a long closure"),
        ("2026-05-13", "festival"),
        ("2026-05-14", "ordinary"),
    ],
)
def test_a_business_date_is_of_the_first_type_that_holds(profile, day, expected):
    assert day_type(profile, date.fromisoformat(day)) == expected


def test_every_type_has_a_name_in_both_languages(profile):
    found = {day_type(profile, date(2026, 1, 1) + timedelta(days=n)) for n in range(365)}
    assert found | {"any"} == set(NAMES)
