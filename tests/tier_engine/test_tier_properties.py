"""The engine's SQL against the rules walked through in Python, on thousands of customers that never were.

A seed is a bank of some hundred customers and a ladder, as wild as the rules allow (`banks.py`). What differs is shown for
the customer with the fewest relations and months, by `proof.smallest`: a smaller seed is no smaller bank.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tier_engine.bank import END_OF_TIME
from tier_engine.banks import Habits, random_bank, random_corrections, until
from tier_engine.cases import night
from tier_engine.engine import Engine
from tier_engine.history import Row
from tier_engine.proof import disagreements, shown, smallest

SEEDS = st.integers(0, 2**32 - 1)
FEW = Habits(customers=100)


def examples(count: int):
    """So many seeds, always the same ones: a night that fails can be run again."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


def agree(engine: Engine, seed: int, habits: Habits, corrected: bool) -> None:
    bank, ladder = random_bank(seed, habits)
    past, bank = random_corrections(seed, bank, ladder) if corrected else ([], bank)
    found = disagreements(engine, bank, ladder, past)
    if found:
        pytest.fail(
            f"seed {seed}: {len(found)} of {len(bank.spells)} customers\n{smallest(engine, bank, ladder, found, past)}"
        )


def believed(rows: Iterable[Row], moment: datetime, last: date) -> list[tuple]:
    """What was believed at a moment about the days until `last`."""
    now = [row.interval for row in rows if row.known_from <= moment < row.known_to and row.interval.valid_from <= last]
    return [
        (
            told.valid_from,
            min(told.valid_to, last + timedelta(days=1)),
            told.tier_code,
            told.movement,
            told.reason,
            told.policy_version,
        )
        for told in sorted(now)
    ]


def check_cover(rows: list[Row], moments: Iterable[datetime]) -> None:
    """At every moment every day from the first to the end of time has exactly one row."""
    for moment in moments:
        now = sorted(row.interval for row in rows if row.known_from <= moment < row.known_to)
        if now:
            ends = [told.valid_to for told in now]
            assert [told.valid_from for told in now[1:]] == ends[:-1] and ends[-1] == END_OF_TIME, (
                f"{moment}\n{shown(rows)}"
            )


def check_remembered(engine: Engine, seed: int) -> None:
    """A run of a later business date says of every moment before what the run then said of the days until then."""
    bank, ladder = random_bank(seed, FEW)
    later = engine.run(bank, ladder).history
    random, span = Random(seed), (bank.as_of - bank.first_day).days
    # The first days of a month are when what was decided for it may still be overtaken.
    days = {bank.first_day + timedelta(days=random.randrange(span)) for _ in range(2)}
    days |= {month.first + timedelta(days=random.randrange(4)) for month in random.sample(bank.months[1:], 2)}
    for day in sorted(day for day in days if day < bank.as_of):
        then = until(bank, day)
        moments = [moment for moment in then.moments() if moment <= night(day) + timedelta(hours=12)]
        for customer, rows in engine.run(then, ladder).history.items():
            for moment in moments:
                said = believed(rows, moment, day), believed(later.get(customer, []), moment, day)
                assert said[0] == said[1], (
                    f"seed {seed}, {customer} at {moment}, run of {day}:\n{shown(rows)}\nlater:\n{shown(later.get(customer, []))}"
                )


@given(seed=SEEDS)
@examples(10)
def test_sql_says_what_the_rules_say(engine, seed):
    agree(engine, seed, Habits(), corrected=False)


@given(seed=SEEDS)
@examples(6)
def test_corrections_begin_new_beliefs_and_leave_the_old_ones(engine, seed):
    agree(engine, seed, FEW, corrected=True)


@given(seed=SEEDS)
@examples(4)
def test_a_later_run_remembers_what_was_believed(engine, seed):
    check_remembered(engine, seed)


@given(seed=SEEDS)
@examples(4)
def test_at_every_moment_every_day_has_one_row(engine, seed):
    bank, ladder = random_bank(seed, FEW)
    past, bank = random_corrections(seed, bank, ladder)
    moments = sorted({*bank.moments(), *(moment for moment, _ in past), datetime(9999, 1, 1)})
    for rows in engine.run(bank, ladder, past).history.values():
        check_cover(rows, moments)


@given(seed=SEEDS)
@examples(3)
def test_rows_in_any_order_make_the_same_tables(engine, seed):
    bank, ladder = random_bank(seed, FEW)
    past, bank = random_corrections(seed, bank, ladder)
    random = Random(seed)
    mixed = engine.run(bank, ladder, past, lambda rows: random.sample(rows, len(rows)))
    assert mixed == engine.run(bank, ladder, past)


@pytest.mark.slow
@given(seed=SEEDS)
@examples(200)
def test_campaign_sql_says_what_the_rules_say(engine, seed):
    agree(engine, seed, Habits(), corrected=False)


@pytest.mark.slow
@given(seed=SEEDS)
@examples(80)
def test_campaign_corrections(engine, seed):
    agree(engine, seed, FEW, corrected=True)


@pytest.mark.slow
@given(seed=SEEDS)
@examples(50)
def test_campaign_of_later_runs(engine, seed):
    check_remembered(engine, seed)
