"""The ladders of three banks as they published them, month by month, with the numbers of the project's policy files."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal

import pytest
from tier_engine.cases import bank, given, hold, told, walk, year
from tier_engine.decisions import states_of
from tier_engine.history import history_of
from tier_engine.policy import Ladder, Tier, Version
from tier_engine.ratings import rating

from crm_warehouse.settings import PROJECT

POLICY = PROJECT / "dbt_project" / "banks" / "reference_bank" / "policy"


def read(name: str, policy_id: str) -> list[dict[str, str]]:
    with (POLICY / name).open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["policy_id"] == policy_id]


def preset(policy_id: str) -> Ladder:
    rungs = [
        Tier(row["tier_code"], int(row["tier_rank"]), Decimal(row["threshold_amount"]), int(row["grace_months"]))
        for row in read("tier_thresholds.csv", policy_id)
    ]
    (row,) = read("tier_policies.csv", policy_id)
    return Ladder(
        (
            Version(
                row["policy_version"],
                date.fromisoformat(row["effective_from"]),
                tuple(sorted(rungs, key=lambda tier: tier.rank)),
                base=row["rating_base"],
                window=row["rating_window"],
                divisor=row["rating_divisor"],
                scope=row["rating_scope"],
                up_lag=int(row["up_lag_months"]),
                landing=row["landing_rule"],
                calendar=row["review_calendar"],
            ),
        )
    )


def misses(ladder: Ladder, *amounts: int) -> list[tuple[str, int]]:
    states = states_of(bank(year(len(amounts))), ladder, "c", given(*amounts))
    return [(state.held, len(state.misses)) for state in states.values()]


def test_bohai_who_reaches_a_line_is_up_the_next_month():
    assert walk(preset("bohai"), 0, 500_000, 500_000) == [
        ("2026-02-01", "mass", "history_begins"),
        ("2026-03-01", "wealth", "rating_reached_threshold"),
    ]


def test_bohai_diamond_misses_three_months_and_in_the_fourth_is_what_the_third_month_says():
    amounts = (2_000_000, 1_999_999, 100_000, 300_000, 600_000)
    assert walk(preset("bohai"), *amounts) == [
        ("2026-02-01", "diamond", "history_begins"),
        ("2026-05-01", "platinum", "grace_ended"),  # February, March, April missed; April: 300,000
        ("2026-06-01", "wealth", "rating_reached_threshold"),
    ]
    assert misses(preset("bohai"), *amounts) == [
        ("diamond", 0), ("diamond", 1), ("diamond", 2), ("platinum", 0), ("wealth", 0),
    ]  # fmt: skip


def test_bohai_a_month_back_at_the_line_begins_the_count_again():
    assert walk(preset("bohai"), 500_000, 0, 0, 500_000, 0, 0, 0)[1:] == [("2026-08-01", "mass", "grace_ended")]


def test_bohai_private_misses_six_months_and_in_the_seventh_is_what_the_sixth_month_says():
    amounts = (6_000_000, 5_000_000, 5_000_000, 5_000_000, 5_000_000, 5_000_000, 700_000, 0)
    assert walk(preset("bohai"), *amounts) == [
        ("2026-02-01", "private", "history_begins"),
        ("2026-08-01", "wealth", "grace_ended"),
    ]
    assert misses(preset("bohai"), *amounts)[5:7] == [("private", 5), ("wealth", 0)]


def test_ccb_is_up_at_once():
    assert walk(preset("ccb"), 0, 2_000_000) == [
        ("2026-01-31", "mass", "history_begins"),
        ("2026-02-28", "diamond", "rating_reached_threshold"),
    ]


def test_ccb_misses_six_months_and_lands_on_the_best_of_the_six():
    amounts = (6_000_000, 100_000, 2_500_000, 0, 600_000, 0, 0, 0)
    assert walk(preset("ccb"), *amounts) == [
        ("2026-01-31", "private", "history_begins"),
        ("2026-08-01", "diamond", "grace_ended"),  # February to July missed; the best was March's 2,500,000
    ]
    assert misses(preset("ccb"), *amounts)[3] == ("private", 3)  # on watch after three


@pytest.mark.parametrize(("month", "amount"), [(1, "51666.67"), (2, "46666.67"), (4, "50000.00")])
def test_ccb_divides_by_thirty_whatever_the_month(month, amount):
    held = hold(bank(year(4)), 50_000)
    (ccb,) = preset("ccb").versions
    assert rating(held, "c", held.months[month - 1], ccb) == Decimal(amount)


def test_cmb_rates_the_monthly_average_of_what_is_kept_at_the_home_branch():
    cmb = preset("cmb")
    near, far = bank(year(2)), bank(year(2))
    hold(near, 600_000, home="1"), hold(far, 600_000, home="0.8")
    assert told(history_of(near, cmb, "c")) == [("2026-02-01", "sunflower", "history_begins")]
    assert told(history_of(far, cmb, "c")) == [("2026-02-01", "mass", "history_begins")]  # 480,000 at home


def test_cmb_private_begins_at_ten_million_and_is_lost_with_the_first_miss():
    assert walk(preset("cmb"), 10_000_000, 9_999_999) == [
        ("2026-02-01", "private", "history_begins"),
        ("2026-03-01", "sunflower", "rating_below_threshold"),
    ]
