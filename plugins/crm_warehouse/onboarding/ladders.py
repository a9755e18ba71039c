"""What is wrong with a bank's tier ladders: codes nobody knows, dates that gap or overlap, thresholds out of order.

Rows are those of `tier_policies.csv`, `tier_thresholds.csv` and `tier_asset_weights.csv`, each with its line as `_line`.
What is found is (file without its ending, one sentence with line, field and what to do).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise

from crm_warehouse.profile_checks import did_you_mean

Row = dict[str, str]
Found = Iterator[tuple[str, str]]
POLICIES, THRESHOLDS, WEIGHTS = "tier_policies", "tier_thresholds", "tier_asset_weights"
CODES = {
    "rating_base": ("total", "net", "weighted"),
    "rating_window": ("month_end", "month", "quarter"),
    "rating_divisor": ("calendar", "fixed_30"),
    "rating_scope": ("bank", "branch", "household"),
    "landing_rule": ("last", "max"),
    "review_calendar": ("monthly", "quarterly", "half_yearly", "yearly"),
}
LEAST = {"up_lag_months": 0, "watch_misses": 1, "grace_months": 0, "near_band_share": 0}


def check_ladders(policies: list[Row], thresholds: list[Row], weights: list[Row], first_day: date) -> Found:
    """Everything wrong with the ladders of a bank whose first business date is `first_day`."""
    yield from _fields(policies, thresholds)
    yield from _active(policies, first_day)
    yield from _versions(policies, thresholds)
    known = {_version(row): row for row in policies}
    for name, rows in ((THRESHOLDS, thresholds), (WEIGHTS, weights)):
        for row in rows:
            if _version(row) not in known:
                yield (
                    name,
                    (
                        f"line {row['_line']}: {row['policy_id']} {row['policy_version']} is no version in {POLICIES}.csv;"
                        f" write its row there, or correct policy_version{did_you_mean(row['policy_version'], [v for _, v in known])}"
                    ),
                )
    for row in weights:
        policy = known.get(_version(row))
        if policy and policy["rating_base"] != "weighted":
            yield (
                WEIGHTS,
                (
                    f"line {row['_line']}: {row['policy_version']} rates {policy['rating_base']} assets: a weight counts only where"
                    " rating_base is weighted; correct one of them"
                ),
            )
        if not 0 <= Decimal(row["weight"]) < 10:
            yield WEIGHTS, f"line {row['_line']}: weight is {row['weight']}: write a number from 0 to below 10"


def _version(row: Row) -> tuple[str, str]:
    return row["policy_id"], row["policy_version"]


def _fields(policies: list[Row], thresholds: list[Row]) -> Found:
    """Codes, small numbers and dates, each by itself."""
    for row in policies:
        for field, codes in CODES.items():
            if row[field] not in codes:
                near = did_you_mean(row[field], codes)
                yield POLICIES, f"line {row['_line']}: {field} is {row[field]!r}: use one of {', '.join(codes)}{near}"
        for field in ("effective_from", "effective_to"):
            if row[field] and date.fromisoformat(row[field]).day != 1:
                yield (
                    POLICIES,
                    f"line {row['_line']}: {field} is {row[field]}: a ladder changes on the first of a month; write that",
                )
        for field in ("approved_by", "decision_reference"):
            if not row[field].strip():
                yield (
                    POLICIES,
                    f"line {row['_line']}: {field} is empty: a ladder is in force by somebody's decision; write it",
                )
    for name, rows in ((POLICIES, policies), (THRESHOLDS, thresholds)):
        for row in rows:
            for field, least in LEAST.items():
                if field in row and Decimal(row[field]) < least:
                    yield name, f"line {row['_line']}: {field} is {row[field]}: write {least} or more"


def _active(policies: list[Row], first_day: date) -> Found:
    """One ladder, from the first day on."""
    active = sorted((row for row in policies if row["is_active"] == "true"), key=lambda row: row["effective_from"])
    if not active:
        yield POLICIES, "no policy has is_active true: set it for the ladder that is in force"
        return
    if active[0]["effective_from"] > first_day.isoformat():
        yield (
            POLICIES,
            (
                f"line {active[0]['_line']}: the active ladder begins on {active[0]['effective_from']}, after the initial delivery"
                f" of {first_day}: customers of those days have no tier; let effective_from be on or before it"
            ),
        )
    for row in active[1:]:
        if row["policy_id"] != active[0]["policy_id"]:
            yield (
                POLICIES,
                (
                    f"line {row['_line']}: {active[0]['policy_id']} and {row['policy_id']} are both active: one ladder can be"
                ),
            )


def _versions(policies: list[Row], thresholds: list[Row]) -> Found:
    """Each version's tiers, and what follows it."""
    tiers = {
        _version(row): sorted(
            (t for t in thresholds if _version(t) == _version(row)), key=lambda t: int(t["tier_rank"])
        )
        for row in policies
    }
    for row in policies:
        yield from _tiers(row, tiers[_version(row)])
    by_policy = sorted(policies, key=lambda row: (row["policy_id"], row["effective_from"]))
    for before, after in pairwise(by_policy):
        if before["policy_id"] != after["policy_id"]:
            continue
        if before["effective_to"] != after["effective_from"]:
            yield (
                POLICIES,
                (
                    f"line {after['_line']}: {before['policy_version']} ends on {before['effective_to'] or 'no date'}, but"
                    f" {after['policy_version']} begins on {after['effective_from']}: one must end the day the next begins"
                ),
            )
        lost = [t["tier_code"] for t in tiers[_version(before)]]
        lost = [code for code in lost if code not in {t["tier_code"] for t in tiers[_version(after)]}]
        if lost:
            yield (
                THRESHOLDS,
                (
                    f"{after['policy_version']} has no tier {', '.join(lost)}, which {before['policy_version']} has and customers hold:"
                    " keep it, or begin another policy_id"
                ),
            )
    for row in policies:
        if row["effective_to"] and row["effective_to"] <= row["effective_from"]:
            yield (
                POLICIES,
                (
                    f"line {row['_line']}: effective_to {row['effective_to']} is not after effective_from {row['effective_from']}:"
                    " correct one of them"
                ),
            )


def _tiers(policy: Row, tiers: list[Row]) -> Found:
    """Ranks from 1 without a gap, thresholds from 0 and rising, one private banking at most."""
    version = policy["policy_version"]
    if not tiers:
        yield (
            POLICIES,
            (
                f"line {policy['_line']}: the ladder {version} has no tier in {THRESHOLDS}.csv: write one row a tier, with the same"
                " policy_id and policy_version"
            ),
        )
        return
    ranks = [int(tier["tier_rank"]) for tier in tiers]
    if ranks != list(range(1, len(ranks) + 1)):
        yield (
            THRESHOLDS,
            (
                f"line {tiers[-1]['_line']}: the ladder {version} has the ranks {', '.join(map(str, ranks))}: number them 1, 2, 3"
                " without a gap"
            ),
        )
    if Decimal(tiers[0]["threshold_amount"]) != 0:
        yield (
            THRESHOLDS,
            (
                f"line {tiers[0]['_line']}: the ladder {version} begins at {tiers[0]['threshold_amount']}: the lowest tier begins"
                " at 0, else customers below have none"
            ),
        )
    for lower, upper in pairwise(tiers):
        if Decimal(upper["threshold_amount"]) <= Decimal(lower["threshold_amount"]):
            yield (
                THRESHOLDS,
                (
                    f"line {upper['_line']}: the ladder {version} has {upper['tier_code']} at {upper['threshold_amount']}, not above"
                    f" {lower['tier_code']} at {lower['threshold_amount']}: a higher rank has a higher threshold_amount"
                ),
            )
    for first, again in pairwise(sorted(tiers, key=lambda tier: tier["tier_code"])):
        if first["tier_code"] == again["tier_code"]:
            yield THRESHOLDS, f"line {again['_line']}: the ladder {version} has {again['tier_code']} twice: keep one"
    for tier in [tier for tier in tiers if tier["is_private_banking"] == "true"][1:]:
        yield (
            THRESHOLDS,
            f"line {tier['_line']}: is_private_banking is true for two tiers of {version}: keep it for the lower one",
        )
