"""The edges of the formula book (C6), each a customer worked by hand; and what was believed when."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from tier_engine.bank import Spell
from tier_engine.cases import JANUARY, bank, given, hold, ladder, link, month, night, spell, told, version, walk, year
from tier_engine.decisions import states_of
from tier_engine.history import FOREVER, corrected_history, history_of
from tier_engine.policy import Tier

MASS, GOLD, WEALTH, PRIVATE = 0, 50_000, 500_000, 6_000_000


def test_an_opened_account_is_at_the_lowest_tier_until_its_first_month_is_rated():
    held = hold(bank(year(2), {"c": [spell(date(2026, 1, 22))]}), 310_000)
    assert told(history_of(held, ladder(), "c")) == [
        ("2026-01-22", "mass", "account_opened"),
        ("2026-02-01", "gold", "rating_reached_threshold"),  # ten of 31 days: 100,000
    ]


def test_two_upgrades_in_one_month_are_one_decision_however_many_steps():
    held = hold(bank(year(1)), lambda day: Decimal(60_000 if day.day < 10 else 900_000 if day.day < 20 else 0))
    assert told(history_of(held, ladder(), "c")) == [("2026-02-01", "gold", "history_begins")]
    assert walk(ladder(), MASS, PRIVATE) == [
        ("2026-02-01", "mass", "history_begins"),
        ("2026-03-01", "private", "rating_reached_threshold"),
    ]


def test_upgrades_that_take_effect_in_one_month_the_last_day_and_the_first():
    quick = version("quick", date(2026, 2, 1), up_lag=0)
    assert walk(ladder(version("slow"), quick), MASS, GOLD, WEALTH) == [
        ("2026-02-01", "mass", "history_begins"),
        ("2026-02-28", "gold", "rating_reached_threshold"),
        ("2026-03-31", "wealth", "rating_reached_threshold"),
    ]


def test_a_later_decision_on_the_same_day_or_before_takes_the_place_of_a_slow_one():
    assert walk(ladder(up_lag=3), MASS, GOLD, MASS, MASS, MASS)[1:] == []
    assert walk(ladder(up_lag=2), GOLD, MASS, MASS)[0] == ("2026-03-01", "mass", "rating_below_threshold")


def test_threshold_change_in_mid_grace_leaves_the_grace_to_the_old_version():
    harder = (Tier("mass", 1, Decimal(0), 1), Tier("gold", 2, Decimal(50_000), 1), Tier("wealth", 3, Decimal(900_000), 1),
              Tier("private", 4, Decimal(6_000_000), 1))  # fmt: skip
    changed = ladder(version("old", graces=(3,)), version("new", date(2026, 3, 1), tiers=harder))
    # February begins the grace; in March 600,000 is wealth by the old version: the grace is over, and in April the new one decides.
    assert walk(changed, 600_000, GOLD, 600_000, 600_000) == [
        ("2026-02-01", "wealth", "history_begins"),
        ("2026-05-01", "gold", "rating_below_threshold"),
    ]
    rows = history_of(bank(year(5)), changed, "c", given(600_000, GOLD, GOLD, MASS, PRIVATE))
    assert [(str(r.interval.valid_from), r.interval.tier_code, r.interval.policy_version) for r in rows if r.known_to == FOREVER] == [
        ("2026-02-01", "wealth", "old"),
        ("2026-05-01", "mass", "old"),
        ("2026-06-01", "private", "new"),
    ]  # fmt: skip


def test_a_missing_feed_stops_the_count_and_takes_nothing_away():
    held = bank(year(5, unfed=[3]))
    assert walk(ladder(graces=(2,)), GOLD, MASS, MASS, MASS, MASS, at=held)[1:] == [
        ("2026-05-01", "mass", "grace_ended")
    ]
    states = states_of(held, ladder(graces=(2,)), "c", given(GOLD, MASS, MASS, MASS, MASS))
    assert [len(state.misses) for state in states.values()] == [0, 1, 1, 0, 0]


def test_only_reviews_decide_and_misses_are_counted_by_reviews():
    ratings = [GOLD] * 3 + [MASS] * 2 + [GOLD] + [WEALTH] * 2 + [MASS] + [PRIVATE] * 2 + [MASS]
    assert walk(ladder(graces=(2,), calendar="quarterly"), *ratings) == [
        ("2026-04-01", "gold", "history_begins"),
        ("2027-01-01", "mass", "grace_ended"),
    ]
    assert walk(ladder(calendar="half_yearly"), *ratings)[0] == ("2026-07-01", "gold", "history_begins")
    assert walk(ladder(calendar="yearly"), *ratings) == [("2027-01-01", "mass", "history_begins")]


def test_a_month_that_is_not_over_decides_nothing():
    held = bank([*year(1), month(date(2026, 2, 1), until=date(2026, 2, 27))])
    assert walk(ladder(up_lag=0), GOLD, PRIVATE, at=held) == [("2026-01-31", "gold", "history_begins")]


def test_nothing_after_the_business_date_is_shown():
    held = bank(year(2), as_of=date(2026, 2, 28))
    assert walk(ladder(), GOLD, WEALTH, at=held) == [("2026-02-01", "gold", "history_begins")]


def test_death_ends_the_spell_and_assets_that_remain_decide_nothing():
    held = bank(year(4), {"c": [spell(end=date(2026, 2, 10))]})
    assert walk(ladder(), GOLD, PRIVATE, PRIVATE, PRIVATE, at=held) == [
        ("2026-02-01", "gold", "history_begins"),
        ("2026-02-10", None, "relationship_closed"),
    ]


def test_who_closes_on_the_first_of_the_month_never_sees_the_upgrade_but_it_was_believed():
    held = bank(year(2), {"c": [spell(date(2026, 1, 5), date(2026, 2, 1))]})
    rows = history_of(held, ladder(), "c", given(GOLD))
    assert told(rows) == [("2026-01-05", "mass", "account_opened"), ("2026-02-01", None, "relationship_closed")]
    believed = [row for row in rows if row.known_from == night(date(2026, 1, 31)) and row.interval.tier_code == "gold"]
    assert [row.known_to for row in believed] == [night(date(2026, 2, 1))]


def test_who_leaves_and_returns_begins_at_the_lowest_tier():
    held = bank(year(5), {"c": [spell(end=date(2026, 2, 10)), spell(date(2026, 3, 10))]})
    rows = history_of(held, ladder(), "c", given(WEALTH, WEALTH, GOLD, GOLD, GOLD))
    assert told(rows) == [
        ("2026-02-01", "wealth", "history_begins"),
        ("2026-02-10", None, "relationship_closed"),
        ("2026-03-10", "mass", "returned"),
        ("2026-04-01", "gold", "rating_reached_threshold"),
    ]
    now = [(row.interval.movement, row.interval.previous_tier_code) for row in rows if row.known_to == FOREVER]
    assert now == [("opened", None), ("exited", "wealth"), ("won_back", None), ("up", "mass")]


def test_merge_and_unmerge():
    held = bank(year(4), {"a": [spell(date(2020, 1, 1))], "c": [spell(date(2021, 1, 1))]})
    held.links.append(link("c", "a", "same_person", date(2026, 2, 10), date(2026, 3, 20)))
    hold(held, 30_000, "a"), hold(held, 60_000, "c")
    assert told(history_of(held, ladder(), "a")) == [
        ("2026-02-01", "mass", "history_begins"),
        ("2026-03-01", "gold", "rating_reached_threshold"),  # 90,000 together
        ("2026-04-01", "mass", "rating_below_threshold"),
    ]
    assert told(history_of(held, ladder(), "c")) == [
        ("2026-02-01", "gold", "history_begins"),
        ("2026-02-10", None, "merged"),
        ("2026-03-20", "mass", "unmerged"),
        ("2026-04-01", "gold", "rating_reached_threshold"),
    ]


def test_before_and_after_a_decision_was_known():
    rows = history_of(bank(year(2)), ladder(), "c", given(GOLD, WEALTH))
    january, february = night(date(2026, 1, 31)), night(date(2026, 2, 28))
    assert [(r.known_from, r.known_to, str(r.interval.valid_from), r.interval.valid_to.year, r.interval.tier_code) for r in rows] == [
        (january, february, "2026-02-01", 9999, "gold"),
        (february, FOREVER, "2026-02-01", 2026, "gold"),
        (february, FOREVER, "2026-03-01", 9999, "wealth"),
    ]  # fmt: skip


def test_a_month_whose_deliveries_came_late_is_decided_when_they_came():
    late = datetime(2026, 3, 5, 9)
    held = bank([month(JANUARY), month(date(2026, 2, 1), known_at=late), month(date(2026, 3, 1))])
    rows = history_of(held, ladder(), "c", given(GOLD, WEALTH, WEALTH))
    assert [(r.known_from, r.interval.tier_code) for r in rows if r.known_to == FOREVER] == [
        (late, "gold"),
        (late, "wealth"),
    ]


def test_backdated_transaction_begins_a_new_belief_and_leaves_the_old_one_in_its_place():
    before, after = (
        hold(bank(year(3)), 40_000),
        hold(bank(year(3)), lambda day: Decimal(40_000 if day.month > 1 else 71_000)),
    )
    corrected = datetime(2026, 3, 5, 9)
    # January's 71,000 came to light on 5 March: gold in February, mass again in March, and until then nobody had believed it.
    rows = corrected_history({datetime(2026, 1, 1): before, corrected: after}, ladder(), "c")
    assert [(r.known_from, r.known_to, str(r.interval.valid_from), r.interval.tier_code) for r in rows] == [
        (night(date(2026, 1, 31)), corrected, "2026-02-01", "mass"),
        (corrected, FOREVER, "2026-02-01", "gold"),
        (corrected, FOREVER, "2026-03-01", "mass"),
    ]


def test_a_closing_reported_late_is_believed_from_then_on():
    reported = datetime(2026, 3, 5, 9)
    closed = Spell(date(2026, 1, 5), date(2026, 1, 20), night(date(2026, 1, 5)), reported)
    rows = history_of(bank(year(3), {"c": [closed]}), ladder(), "c", given(GOLD, GOLD, GOLD))
    assert told(rows) == [("2026-01-05", "mass", "account_opened"), ("2026-01-20", None, "relationship_closed")]
    assert [str(row.known_to) for row in rows if row.interval.tier_code == "gold"] == [str(reported)]
