"""Cases in which the SQL and the rules once parted, by hand: now they agree, and on what was worked out on paper."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from tier_engine.bank import Amounts, Bank, Spell
from tier_engine.cases import bank, hold, ladder, link, month, night, spell, tiers, told, version, year
from tier_engine.engine import Engine
from tier_engine.history import FOREVER, Row
from tier_engine.policy import Ladder, Tier
from tier_engine.proof import disagreements


def agreed(engine: Engine, bank: Bank, ladder: Ladder, customer: str = "c") -> list[Row]:
    """The history in SQL, once the rules say the same."""
    assert disagreements(engine, bank, ladder) == {}
    return engine.run(bank, ladder).history[customer]


def averages(bank: Bank, *amounts: int, customer: str = "c") -> Bank:
    """Month after month the same amount on each day."""
    for each, amount in zip(bank.months, amounts, strict=True):
        total = Decimal(amount) * each.days
        bank.assets[customer, each.first] = {"deposit": Amounts(total, Decimal(amount), total, Decimal(amount))}
    return bank


def test_opened_on_the_last_day_and_kept_at_the_lowest_tier_the_reason_is_the_opening(engine):
    held = averages(bank(year(1), {"c": [spell(date(2026, 1, 31))]}), 10)
    assert told(agreed(engine, held, ladder(up_lag=0))) == [("2026-01-31", "mass", "account_opened")]


def test_upgrade_reported_before_the_closing_of_the_same_day_was_known_stays_on_record(engine):
    closed = Spell(date(2026, 1, 5), date(2026, 2, 1), night(date(2026, 1, 5)), datetime(2026, 2, 4, 22))
    rows = agreed(engine, averages(bank(year(2), {"c": [closed]}), 50_000, 0), ladder())
    assert told(rows) == [("2026-01-05", "mass", "account_opened"), ("2026-02-01", None, "relationship_closed")]
    (gold,) = [row for row in rows if row.interval.tier_code == "gold"]
    assert (gold.known_from, gold.known_to) == (night(date(2026, 1, 31)), datetime(2026, 2, 4, 22))


def test_down_is_down_also_by_a_version_that_put_tiers_in_between(engine):
    finer = (
        Tier("mass", 1, Decimal(0)), Tier("iron", 2, Decimal(10)), Tier("bronze", 3, Decimal(20)), Tier("gold", 4, Decimal(50_000)),
        Tier("wealth", 5, Decimal(500_000)), Tier("private", 6, Decimal(6_000_000)),
    )  # fmt: skip
    rows = agreed(
        engine,
        averages(bank(year(2)), 600_000, 60_000),
        ladder(version("old"), version("new", date(2026, 2, 1), tiers=finer)),
    )
    now = [(row.interval.tier_code, row.interval.movement) for row in rows if row.known_to == FOREVER]
    assert now == [("wealth", "opened"), ("gold", "down")]


def test_merged_in_the_last_month_of_a_quarter_the_quarter_is_of_both(engine):
    held = bank(year(3), {"a": [spell(date(2020, 1, 1))], "c": [spell(date(2021, 1, 1))]})
    averages(hold(held, 30_000, "a"), 60_000, 60_000, 60_000)
    held.links.append(
        replace(link("c", "a", "same_person", date(2026, 3, 10)), begin_known_at=night(date(2026, 3, 10)))
    )
    rows = agreed(engine, held, ladder(window="quarter"), "a")
    assert told(rows) == [
        ("2026-02-01", "mass", "history_begins"),
        ("2026-04-01", "gold", "rating_reached_threshold"),  # 90,000 a day for all three months
    ]


def test_records_that_are_one_person_through_a_third_are_all_rated_as_the_first(engine):
    held = bank(year(3), {who: [spell(date(2018 + n, 1, 1))] for n, who in enumerate(("a", "c", "b"))})
    for who in ("a", "b", "c"):
        averages(held, 20_000, 20_000, 20_000, customer=who)
    held.links.append(link("b", "a", "same_person"))
    held.links.append(
        replace(link("c", "b", "same_person", date(2026, 2, 10)), begin_known_at=night(date(2026, 2, 10)))
    )
    assert told(agreed(engine, held, ladder(), "a")) == [
        ("2026-02-01", "mass", "history_begins"),
        ("2026-03-01", "gold", "rating_reached_threshold"),  # 60,000, of all three
    ]
    assert told(agreed(engine, held, ladder(), "c")) == [
        ("2026-02-01", "mass", "history_begins"),
        ("2026-02-10", None, "merged"),  # although it was onboarded before the one it is linked to
    ]


def test_grace_that_began_by_monthly_reviews_ends_by_monthly_reviews(engine):
    changed = ladder(version("old", graces=(3,)), version("new", date(2026, 3, 1), calendar="yearly", tiers=tiers(3)))
    rows = agreed(engine, averages(bank(year(6)), 50_000, 0, 0, 0, 50_000, 50_000), changed)
    assert told(rows) == [("2026-02-01", "gold", "history_begins"), ("2026-05-01", "mass", "grace_ended")]


def test_grace_by_yearly_reviews_goes_on_by_yearly_reviews_past_months_the_new_version_reviews(engine):
    changed = ladder(
        version("old", graces=(2,), calendar="quarterly"), version("new", date(2026, 7, 1), calendar="monthly")
    )
    amounts = [50_000] * 3 + [0] * 3 + [60_000, 0] + [0] * 2 + [50_000] * 2
    # June missed by the old version; September, its next review, ends the grace; then the new one is in force.
    assert told(agreed(engine, averages(bank(year(12)), *amounts), changed)) == [
        ("2026-04-01", "gold", "history_begins"),
        ("2026-10-01", "mass", "grace_ended"),
        ("2026-12-01", "gold", "rating_reached_threshold"),
    ]


def test_a_feed_that_is_missing_for_long_does_not_end_a_grace_without_its_version(engine):
    held = averages(bank(year(8, unfed=[4, 5, 6])), 50_000, 50_000, 0, 0, 0, 0, 0, 0)
    changed = ladder(version("old", graces=(2,)), version("new", date(2026, 4, 1), graces=(4,)))
    assert told(agreed(engine, held, changed)) == [
        ("2026-02-01", "gold", "history_begins"),
        ("2026-08-01", "mass", "grace_ended"),  # March and July missed
    ]


def test_a_month_that_was_let_be_rated_late_leaves_what_was_known_of_later_days(engine):
    held = bank(
        [month(date(2026, 1, 1), fed=False), month(date(2026, 2, 1)), month(date(2026, 3, 1)), month(date(2026, 4, 1))]
    )
    held.spells["c"] = [Spell(date(2020, 1, 1), date(2026, 2, 9), night(date(2026, 1, 1)), night(date(2026, 2, 9)))]
    held.spells["c"].append(spell(date(2026, 2, 14)))
    averages(held, 50_000, 0, 0, 0)
    come = datetime(2026, 2, 20, 12)
    past = [
        (
            come,
            replace(
                held, as_of=date(2026, 2, 19), months=[held.months[0], month(date(2026, 2, 1), until=date(2026, 2, 19))]
            ),
        ),
    ]
    held = replace(held, months=[replace(held.months[0], is_fed=True, known_at=come), *held.months[1:]])
    again = datetime(2026, 4, 10, 12)
    past.append(
        (
            again,
            replace(
                held, as_of=date(2026, 4, 9), months=[*held.months[:3], month(date(2026, 4, 1), until=date(2026, 4, 9))]
            ),
        )
    )
    assert disagreements(engine, held, ladder(), past) == {}
    rows = engine.run(held, ladder(), past).history["c"]
    assert {(row.known_from, row.interval.reason) for row in rows if row.known_to == FOREVER} == {
        (come, "history_begins"),
        (come, "relationship_closed"),
        (night(date(2026, 2, 14)), "returned"),
    }
