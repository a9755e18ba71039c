"""Rules of the mart gate: may BI see these figures? They read the candidate file, the very bytes that are published."""

from __future__ import annotations

from datetime import date

from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.marts import (
    bridge,
    customer_history,
    customers,
    leakage,
    ledger,
    lifecycle,
    lifetime,
    losses,
    money,
    quality,
    shape,
    tier_movements,
    tier_thresholds,
    tiers,
    value,
    window_dressing,
)


def build_rules(profile: Profile, marts: dict[str, dict], coverage: dict[str, str], as_of: date) -> list[Rule]:
    """Every mart rule of a run.

    `marts`: dbt's nodes of the published models; `coverage`: `fed`, `partly` or `dark` for each; a dark mart may be empty.
    """
    rules = [rule for name, node in marts.items() for rule in shape.build_rules(name, node, coverage[name])]
    rules += [
        *customers.build_rules(as_of),
        *customer_history.build_rules(as_of),
        *tiers.build_rules(),
        *value.build_rules(profile),
        *ledger.build_rules(profile, coverage),
        *losses.build_rules(profile, coverage, as_of),
        *lifetime.build_rules(profile),
        *bridge.build_rules(profile, coverage, as_of),
        *money.build_rules(coverage),
        *leakage.build_rules(profile, coverage),
        *lifecycle.build_rules(profile, as_of),
        *quality.build_rules(),
    ]
    return rules + [*tier_movements.build_rules(), *tier_thresholds.build_rules(), *window_dressing.build_rules()]
