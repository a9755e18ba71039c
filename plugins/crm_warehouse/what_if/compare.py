"""What another tier ladder would have made of the same history: replayed by the same SQL, beside the warehouse.

The last built warehouse is only read. What lies before the ladder (amounts, spells, links, months) is given; the ladder and
all that follows from it are made anew in memory. Past beliefs are left out: both ladders know what is known now.
"""

from __future__ import annotations

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from crm_warehouse.build import last_build
from crm_warehouse.errors import SettingsError
from crm_warehouse.onboarding.ladders import CODES
from crm_warehouse.profile import load_profile
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings
from crm_warehouse.what_if.ladders import Ladder, active_ladder, candidate_ladder

GIVEN = (
    "int_months",
    "int_customer_family_months",
    "int_customer_debt_months",
    "int_customer_spells",
    "int_customer_links_latest",
    "int_customer_keys",
)
MARTS = ("fct_customer_tiers_monthly", "fct_customer_tier_history")
SIDES = ("active", "candidate")
RULES = (*CODES, "up_lag_months")  # of a policy row; the tiers' own are threshold_amount and grace_months
MOVEMENTS = ("opened", "up", "down", "won_back", "exited")


def compare(
    settings: Settings,
    name: str | None,
    thresholds: list[str],
    first: date | None,
    last: date | None,
    customers: int = 0,
) -> dict:
    """What the ladder asked for makes of the months `first` to `last`, beside what the warehouse says; money is exact."""
    profile = load_profile(settings)
    active, candidate = active_ladder(profile), candidate_ladder(profile, name, thresholds)
    with (
        last_build(settings) as (database, manifest),
        tempfile.TemporaryDirectory(prefix="what-if-") as folder,
        (models := CompiledModels(manifest)).scratch() as connection,
    ):
        models.attach(connection, database)
        models.give(connection, GIVEN)
        models.give(connection, ["int_beliefs"], "is_present")
        first, last = _months(connection, models, first, last, candidate)
        candidate.write_seeds(Path(folder))
        models.read_seeds_from(Path(folder))
        try:
            models.run(connection, MARTS, [*GIVEN, "int_beliefs"])
        except duckdb.DataError as problem:  # a number no column holds
            raise SettingsError(
                f"the ladder {candidate.label} cannot be replayed: {str(problem).splitlines()[0]}"
            ) from None
        _stand(connection, models, first, last)
        return {
            "bank": profile.bank,
            "currency": profile.reporting_currency,
            "from": first,
            "to": last,
            "ladders": {"active": _described(active, last), "candidate": _described(candidate, last)},
            "tiers": _tiers(connection, active, candidate, last),
            "crossings": _rows(connection, CROSSINGS, [last]),
            "customers": _rows(connection, CUSTOMERS, [last, customers]),
            "movements": _rows(connection, MOVED, [first, last]),
            "months": _rows(
                connection,
                "select side, month, tier_code, count(*) as customers from standing group by all order by all",
            ),
            **_rows(connection, DIFFERING, [first, last] * 2)[0],
        }


def _months(
    connection: duckdb.DuckDBPyConnection,
    models: CompiledModels,
    first: date | None,
    last: date | None,
    candidate: Ladder,
) -> tuple[date, date]:
    """The months asked for, or all that are over; in each of them the ladder must be in force."""
    months = [
        m
        for (m,) in connection.execute(
            f"select month from {models.relation('int_months')} where is_complete order by 1"
        ).fetchall()
    ]
    if not months:
        raise SettingsError("no month is over yet in the warehouse: there is nothing to replay")
    first, last = first or months[0], last or months[-1]
    if not months[0] <= first <= last <= months[-1]:
        raise SettingsError(
            f"{first:%Y-%m} to {last:%Y-%m} is no period of the warehouse: its months that are over are"
            f" {months[0]:%Y-%m} to {months[-1]:%Y-%m}"
        )
    without = [month for month in months if first <= month <= last and not candidate.policy_on(month)]
    if without:
        raise SettingsError(
            f"the ladder {candidate.label} is not in force in {without[0]:%Y-%m}: let its effective_from be on or before it"
        )
    return first, last


def _stand(connection: duckdb.DuckDBPyConnection, models: CompiledModels, first: date, last: date) -> None:
    """Tables `standing` and `history` of both sides, `active` as the warehouse was built."""
    for number, side in enumerate(SIDES):
        tiers, history = map(models.built if side == "active" else models.relation, MARTS)
        make = "create table {} as" if number == 0 else "insert into {}"
        connection.execute(f"{make.format('history')} {HISTORY.format(side=side, history=history)}")
        connection.execute(
            f"{make.format('standing')} {STANDING.format(side=side, tiers=tiers, months=models.relation('int_months'))}",
            [first, last],
        )


HISTORY = """
select '{side}' as side, customer_key, valid_from, valid_to, tier_code, movement, reason
from {history} where known_to = timestamp '9999-12-31'
"""
# What the review of a month left each customer with who was with the bank at its end; who has not been reviewed yet has what is in force.
STANDING = """
select '{side}' as side, month, tiers.customer_key, coalesce(tiers.held_tier_code, history.tier_code) as tier_code, rating_amount
from {tiers} as tiers
join {months} as months using (month)
left join history
    on history.side = '{side}' and history.customer_key = tiers.customer_key
    and history.valid_from <= months.month_end and history.valid_to > months.month_end
where month between ? and ? and (history.customer_key is null or history.tier_code is not null)
    and coalesce(tiers.held_tier_code, history.tier_code) is not null
"""
PAIRS = """
(
    select month, customer_key, a.tier_code as from_tier, c.tier_code as to_tier,
        a.rating_amount as active_amount, c.rating_amount as candidate_amount
    from (from standing where side = 'active') as a
    full join (from standing where side = 'candidate') as c using (month, customer_key)
) as pairs
"""
CROSSINGS = f"""
select from_tier, to_tier, count(*) as customers, coalesce(sum(coalesce(active_amount, candidate_amount)), 0) as amount
from {PAIRS} where month = ? and from_tier is distinct from to_tier
group by all order by amount desc, from_tier, to_tier
"""
CUSTOMERS = f"""
select customer_key, from_tier, to_tier, active_amount, candidate_amount
from {PAIRS} where month = ? and from_tier is distinct from to_tier
order by coalesce(active_amount, candidate_amount) desc, customer_key limit ?
"""
TIERS = f"""
select tier_code,
    count(*) filter (from_tier = tier_code) as active_customers,
    count(*) filter (to_tier = tier_code) as candidate_customers,
    coalesce(sum(active_amount) filter (from_tier = tier_code), 0) as active_amount,
    coalesce(sum(candidate_amount) filter (to_tier = tier_code), 0) as candidate_amount,
    count(*) filter (from_tier is distinct from tier_code) as gained,
    coalesce(sum(candidate_amount) filter (from_tier is distinct from tier_code), 0) as gained_amount,
    count(*) filter (to_tier is distinct from tier_code) as lost,
    coalesce(sum(active_amount) filter (to_tier is distinct from tier_code), 0) as lost_amount
from {PAIRS} join (select distinct tier_code from standing) as tiers on tier_code = from_tier or tier_code = to_tier
where month = ? group by tier_code
"""
MOVED = """
select cast(date_trunc('month', valid_from) as date) as month, movement,
    count(*) filter (side = 'active') as active, count(*) filter (side = 'candidate') as candidate
from history where date_trunc('month', valid_from) between ? and ? group by all order by all
"""
DIFFERING = f"""
with moved as (select * from history where date_trunc('month', valid_from) between ? and ?)
select
    (select count(*) from {PAIRS} where from_tier is distinct from to_tier) as differing_customer_months,
    (select count(*) from (
        select * exclude (side, valid_to) from moved where date_trunc('month', valid_from) between ? and ?
        group by all having count(distinct side) < 2
    )) as differing_movements
"""


def _rows(connection: duckdb.DuckDBPyConnection, query: str, values: list | None = None) -> list[dict]:
    found = connection.execute(query, values)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _described(ladder: Ladder, month: date) -> dict:
    policy = ladder.policy_on(month)
    return {
        "label": ladder.label,
        "policy_version": policy["policy_version"],
        "name_en": policy["policy_name_en"],
        "name_zh": policy["policy_name_zh"],
        **{rule: policy[rule] for rule in RULES},
    }


def _tiers(connection: duckdb.DuckDBPyConnection, active: Ladder, candidate: Ladder, month: date) -> list[dict]:
    """Every tier of either ladder, the highest threshold first; a threshold is None where a ladder has no such tier."""
    counted = {row["tier_code"]: row for row in _rows(connection, TIERS, [month])}
    ladders = {"active": active.tiers_on(month), "candidate": candidate.tiers_on(month)}
    found = []
    for code in dict.fromkeys([*ladders["active"], *ladders["candidate"]]):
        own = ladders["active"].get(code) or ladders["candidate"][code]
        tier = {"tier_code": code, "name_en": own["tier_name_en"], "name_zh": own["tier_name_zh"]}
        for side in SIDES:
            row = ladders[side].get(code)
            tier[f"{side}_threshold_amount"] = Decimal(row["threshold_amount"]) if row else None
            tier[f"{side}_grace_months"] = int(row["grace_months"]) if row else None
        figures = ("customers", "amount")
        none = {f"{side}_{figure}": 0 for side in SIDES for figure in figures}
        found.append(
            {**tier, **none, "gained": 0, "gained_amount": 0, "lost": 0, "lost_amount": 0, **counted.get(code, {})}
        )
    return sorted(found, key=lambda tier: [tier[f"{s}_threshold_amount"] or 0 for s in reversed(SIDES)], reverse=True)
