"""What is said of a tier: each case that decides differently is said differently, in both languages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from crm_warehouse.explain.tier_sentences import sentences

MAY, MAY_END, JUNE, NEVER = date(2026, 5, 1), date(2026, 5, 31), date(2026, 6, 1), date(9999, 12, 31)
RECEIVED = datetime(2026, 5, 31, 17, 30)


def ladder(**changes: object) -> list[dict]:
    policy = {
        "policy_version": "v1",
        "effective_from": date(2024, 1, 1),
        "approved_by": "board",
        "decision_reference": "DEC-1",
        "rating_window": "month",
        "rating_base": "total",
        "rating_scope": "bank",
        "review_calendar": "monthly",
        "landing_rule": "last",
        "up_lag_months": 1,
        "grace_months": 3,
    }
    tiers = [("low", "Low", "低", 1, 0), ("middle", "Middle", "中", 2, 100), ("high", "High", "高", 3, 500)]
    names = ("tier_code", "tier_name_en", "tier_name_zh", "tier_rank")
    return [
        {**policy, **dict(zip(names, tier, strict=False)), "threshold_amount": Decimal(tier[4]), **changes}
        for tier in tiers
    ]


def facts(ladder_changes: dict | None = None, state: dict | None = None, rating: dict | None = None, **changes: object):
    """A customer who holds `middle`, is rated 90 in May, and is forgiven for the first time."""
    tiers = ladder(**(ladder_changes or {}))
    return {
        "currency": "CNY",
        "customer_key": "k",
        "month": MAY,
        "window": [MAY],
        "divisor": 31,
        "weights": {},
        "members": [],
        "families": {"demand_deposit": Decimal("90.00")},
        "ladder": tiers,
        "deciding_ladder": tiers,
        "rating": {
            "rating_amount": Decimal("90.00"),
            "month_end": MAY_END,
            "is_complete": True,
            "is_fed": True,
            "is_review": True,
            "is_partial_month": False,
            "policy_version": "v1",
            "decided_by_version": "v1",
            "tier_code": "low",
            "tier_rank": 1,
            "next_threshold_amount": Decimal(100),
            "known_at": RECEIVED,
            **(rating or {}),
        },
        "state": {
            "review_number": 7,
            "held_tier_code": "middle",
            "previous_tier_code": "middle",
            "misses_in_grace": 1,
            "misses_ended": 0,
            **(state or {}),
        },
        "before": {"tier_code": "middle", "valid_from": date(2025, 9, 1), "reason": "rating_reached_threshold"},
        "effect": None,
        "believed_of": JUNE,
        "believed_before": [],
        **changes,
    }


def said(found: dict) -> str:
    return "\n".join(f"{en}\n{zh}" for en, zh in sentences(found))


def test_rating_gap_policy_and_what_was_held():
    text = said(facts())
    for part in (
        "in 2026-05 the customer is rated at 90.00 CNY: the month's average of assets at the whole bank, divided by 31 days",
        "2026-05评定金额 90.00 CNY：全行资产的月日均，除以 31 天",
        "that reaches Low; 10.00 more would reach Middle at 100.00",
        "v1 since 2024-01-01, where Low begins at 0.00; approved by board, decision DEC-1",
        "on 2026-05-31 Middle was in force, since 2025-09-01 (rating reached threshold)",
        "the deliveries of the month were complete on 2026-05-31 17:30 UTC",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("grace", "misses", "parts"),
    [
        (3, 1, ("for the 1st time in a row", "would be forgiven as miss 2; miss 3 loses it")),
        (3, 2, ("for the 2nd time in a row", "the next review below Middle loses it")),
        (3, 0, ("would be forgiven as miss 1; miss 3 loses it",)),
        (2, 1, ("for the 1st time in a row", "the next review below Middle loses it")),
        (1, 0, ("the next review below Middle loses it",)),
        (0, 0, ("the next review below Middle loses it",)),
    ],
)
def test_what_the_next_miss_does(grace: int, misses: int, parts: tuple[str, ...]):
    text = said(facts({"grace_months": grace}, {"misses_in_grace": misses}))
    assert all(part in text for part in parts)
    assert ("in a row" in text) == (misses > 0)


def test_the_landing_rule_is_said():
    assert "to the tier of that rating" in said(facts())
    assert "to the best tier of these ratings" in said(facts({"landing_rule": "max"}))


def test_of_the_lowest_tier_nothing_can_be_lost():
    assert "loses it" not in said(facts(state={"held_tier_code": "low", "misses_in_grace": 0}))


def down(**effect: object) -> dict:
    interval = {
        "valid_from": JUNE, "valid_to": NEVER, "tier_code": "low", "movement": "down", "reason": "grace_ended", "known_from": RECEIVED,
    }  # fmt: skip
    state = {"held_tier_code": "low", "misses_in_grace": 0, "misses_ended": 3}
    return facts(state=state, effect={"on": JUNE, "is_shown": True, "is_down": True, "interval": interval, **effect})


def test_when_a_decision_takes_effect():
    assert "decides Low, for 2026-06-01: down (grace ended), still in force, known since 2026-05-31 17:30 UTC" in said(
        down()
    )
    assert "the grace is over: it was miss 3" in said(down())
    assert "after the business date, so not in the history yet" in said(down(is_shown=False, interval=None))
    assert "it never took effect" in said(down(interval=None))
    already = {"valid_from": MAY, "valid_to": NEVER, "tier_code": "low"}
    assert "it was in force already" in said(down(interval=already))


@pytest.mark.parametrize(
    ("rating", "ladder_changes", "part"),
    [
        ({"is_complete": False}, {}, "it is not over"),
        ({"is_review": False}, {"review_calendar": "half_yearly"}, "reviews are half yearly"),
        ({"is_fed": False, "rating_amount": None, "tier_code": None}, {}, "nobody is rated"),
        ({}, {}, "was not with the bank"),
    ],
)
def test_why_a_month_decides_nothing(rating: dict, ladder_changes: dict, part: str):
    found = facts(ladder_changes, rating=rating)
    assert part in said({**found, "state": None})
    assert "the month decides nothing" in said({**found, "state": None})


def test_whose_amounts_count_and_over_which_months():
    quarter = facts(
        {"rating_window": "quarter", "rating_scope": "household", "rating_base": "net"},
        members=["k2", "k3"], window=[date(2026, 3, 1), date(2026, 4, 1), MAY], divisor=92,
    )  # fmt: skip
    text = said(quarter)
    assert (
        "the three months' average of assets less debts at the household, divided by 92 days (2026-03 to 2026-05)"
        in text
    )
    assert "amounts of 2 more of the household count: k2, k3" in text
    assert "divided" not in said(facts({"rating_window": "month_end"}, divisor=1))


def test_a_version_that_is_over_may_still_decide():
    assert "v0 still decides: the grace period began under it" in said(facts(rating={"decided_by_version": "v0"}))


def test_what_a_correction_changed():
    at = datetime(2026, 6, 15, 9, 0)
    text = said(facts(believed_before=[{"until": at, "held_tier_code": "high", "rated_tier_code": "high"}]))
    assert (
        "until 2026-06-15 09:00 UTC, when a correction was received, we believed: High in force on 2026-06-01, a rating of High"
        in text
    )
    assert "2026-06-15 09:00 UTC 收到更正之前，认为2026-06-01 的等级为高，评定等级为高" in text
