"""Ratings worked by hand: windows, divisors, bases, scopes, groups and missing feeds."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from tier_engine.cases import JANUARY, bank, hold, link, month, owe, spell, version, year
from tier_engine.ratings import rating, to_the_cent

MARCH = 2


def rated(held, place=0, customer="c", **settings) -> Decimal | None:
    return rating(held, customer, held.months[place], version(**settings))


@pytest.mark.parametrize(
    ("exact", "cents"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("1.004", "1.00"), ("-1.0049", "-1.00"), ("2.675", "2.68"), ("0", "0")],
)
def test_half_a_cent_goes_away_from_zero(exact, cents):
    assert to_the_cent(Fraction(exact)) == Decimal(cents)


def test_first_partial_month_divides_by_all_days_of_the_month():
    held = hold(bank(year(1), {"c": [spell(date(2026, 1, 22))]}), 31_000)  # ten of 31 days
    assert rated(held) == 10_000


def test_month_that_is_not_over_divides_by_the_days_so_far():
    assert rated(hold(bank([month(JANUARY, until=date(2026, 1, 10))]), 31_000)) == 31_000


@pytest.mark.parametrize("place", range(4))
def test_months_of_28_to_31_days_average_alike_by_calendar_days(place):
    assert rated(hold(bank(year(4)), "12345.67"), place) == Decimal("12345.67")


@pytest.mark.parametrize(("place", "amount"), [(0, "31000"), (1, "28000"), (3, "30000")])
def test_fixed_thirty_makes_long_months_richer_and_february_poorer(place, amount):
    assert rated(hold(bank(year(4)), 30_000), place, divisor="fixed_30") == Decimal(amount)


def test_each_family_is_rounded_before_they_are_added():
    held = bank(year(1))
    for family in ("deposit", "fund", "bond"):
        hold(held, lambda day: Decimal("0.14") if day.day == 1 else Decimal(0), family=family)
    assert rated(held) == 0  # 0.0045 each; 0.0135 in all would be 0.01
    assert rated(held, divisor="fixed_30") == 0  # 0.0047


def test_joint_account_counts_for_each_holder_by_its_share():
    held = bank(year(1), {"c": [spell()], "d": [spell()]})
    hold(held, 100_000, share="0.6"), hold(held, 100_000, "d", share="0.4")
    assert (rated(held), rated(held, customer="d")) == (60_000, 40_000)


def test_fx_revaluation_counts_from_the_day_the_rate_moves():
    dollars = Decimal(10_000)
    held = hold(bank(year(1)), lambda day: dollars * Decimal("7.2" if day.day <= 15 else "7.0"))
    assert rated(held) == Decimal("70967.74")  # (15 x 72,000 + 16 x 70,000) / 31
    assert rated(held, window="month_end") == 70_000


def test_quarter_averages_the_three_months_or_those_since_the_first_in_the_warehouse():
    held = hold(bank(year(4)), lambda day: Decimal(day.month * 9000))
    assert [rated(held, place, window="quarter") for place in range(4)] == [
        Decimal("9000.00"),
        Decimal("13271.19"),  # (31 x 9,000 + 28 x 18,000) / 59
        Decimal("18000.00"),  # (31 x 9 + 28 x 18 + 31 x 27) / 90
        Decimal("27202.25"),  # (28 x 18 + 31 x 27 + 30 x 36) / 89
    ]


def test_quarter_counts_days_before_the_opening_as_zero():
    held = hold(bank(year(3), {"c": [spell(date(2026, 3, 1))]}), 90_000)
    assert rated(held, MARCH, window="quarter") == 31_000
    assert rated(held, MARCH, window="quarter", divisor="fixed_30") == 31_000


def test_weighted_base_takes_families_without_a_weight_at_one():
    held = hold(hold(bank(year(1)), 100, family="fund"), 10)
    weights = (("fund", Decimal("0.35")),)
    assert rated(held, base="weighted", weights=weights) == 45
    assert rated(held, base="total", weights=weights) == 110


def test_net_base_may_be_negative_and_then_reaches_the_lowest_tier():
    held = owe(hold(bank(year(1)), 10_000), 25_000)
    assert rated(held, base="net") == -15_000
    assert version().reached(Decimal(-15_000)).code == "mass"
    assert rated(held, base="net", divisor="fixed_30") == Decimal("-15500.00")


@pytest.mark.parametrize(
    ("amount", "code"), [("49999.99", "mass"), ("50000", "gold"), ("499999.99", "gold"), ("500000.00", "wealth")]
)
def test_a_tier_begins_exactly_at_its_threshold(amount, code):
    assert version().reached(Decimal(amount)).code == code


def test_branch_scope_counts_what_is_kept_at_home():
    held = hold(bank(year(1)), 100_000, home="0.25")
    assert (rated(held, scope="branch"), rated(held, scope="bank")) == (25_000, 100_000)
    assert rated(held, scope="branch", window="month_end") == 25_000


def family(*links, months=2):
    """Three customers with 1, 10 and 100."""
    held = bank(
        year(months), {"a": [spell(date(2020, 1, 1))], "b": [spell(date(2021, 1, 1))], "c": [spell(date(2022, 1, 1))]}
    )
    for customer, amount in (("a", 1), ("b", 10), ("c", 100)):
        hold(held, amount, customer)
    held.links.extend(links)
    return held


def test_household_is_connected_through_others_and_each_member_has_the_sum():
    held = family(link("a", "b", "household"), link("c", "b", "household"))
    assert [rated(held, customer=who, scope="household") for who in "abc"] == [111, 111, 111]
    assert [rated(held, customer=who) for who in "abc"] == [1, 10, 100]


def test_household_is_the_one_of_the_last_day_of_the_month():
    held = family(link("a", "b", "household", end=date(2026, 1, 31)), link("b", "c", "household", date(2026, 2, 28)))
    assert [rated(held, 0, who, scope="household") for who in "abc"] == [1, 10, 100]
    assert [rated(held, 1, who, scope="household") for who in "abc"] == [1, 110, 110]


def test_other_links_make_no_household():
    held = family(link("a", "b", "referred_by"), link("b", "c", "owner_of_firm"))
    assert [rated(held, customer=who, scope="household") for who in "abc"] == [1, 10, 100]


def test_merged_records_are_rated_once_on_the_sum():
    held = family(link("c", "b", "same_person", date(2026, 1, 31), date(2026, 2, 28)))
    assert [rated(held, 0, who) for who in "abc"] == [1, 110, None]
    assert [rated(held, 1, who) for who in "abc"] == [1, 10, 100]  # the link's last day was the 27th


def test_a_missing_feed_is_never_read_as_zero():
    held = hold(bank(year(3, unfed=[2])), lambda day: Decimal(0 if day.month == 2 else 90))
    assert rated(held, 1) is None
    assert rated(held, MARCH) == 90
    assert rated(held, MARCH, window="quarter") == 62  # (31 + 31) x 90 / 90: the quarter is what was delivered of it
