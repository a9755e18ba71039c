"""The warehouse's own SQL of the tier engine, as dbt compiled it, run on banks that never were."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pandas as pd
from tier_engine.bank import Bank
from tier_engine.history import Interval, Row
from tier_engine.policy import Ladder

from crm_warehouse import beliefs
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import PROJECT

SOME_DAY = "1999-09-09"  # stands in the compiled SQL for the business date
TARGETS = ("fct_customer_tier_history", "int_tier_states", "int_customer_months_rated")
INPUTS = {
    "int_months": "month date, month_end date, days_in_month bigint, is_complete boolean, is_fed boolean, known_at timestamp",
    "int_customer_spells": "customer_id varchar, spell_number bigint, spell_from date, spell_to date,"
    " opening_known_at timestamp, closing_known_at timestamp",
    "int_customer_family_months": "customer_id varchar, month date, product_family varchar, amount_days decimal(38, 8),"
    " eop_amount decimal(38, 8), home_amount_days decimal(38, 8), home_eop_amount decimal(38, 8)",
    "int_customer_debt_months": "customer_id varchar, month date, debt_days decimal(38, 8), eop_debt_amount decimal(38, 8)",
    "int_customer_links_latest": "customer_id varchar, linked_customer_id varchar, link_type varchar, valid_from date,"
    " valid_to date, known_at timestamp, end_known_at timestamp",
    "int_customer_keys": "customer_id varchar, customer_key varchar",
    "tier_policies": "policy_id varchar, policy_version varchar, is_active boolean, rating_base varchar, rating_window varchar,"
    " rating_divisor varchar, rating_scope varchar, up_lag_months integer, landing_rule varchar, watch_misses integer,"
    " review_calendar varchar, volatile_to_amount decimal(18, 2), effective_from date, effective_to date",
    "tier_thresholds": "policy_id varchar, policy_version varchar, tier_code varchar, tier_rank integer,"
    " threshold_amount decimal(18, 2), near_band_share decimal(9, 6), near_band_max_amount decimal(18, 2),"
    " grace_months integer, is_private_banking boolean",
    "tier_asset_weights": "policy_id varchar, policy_version varchar, product_family varchar, weight decimal(5, 4)",
}
Shuffle = Callable[[list], list]


def compiled(folder: Path) -> CompiledModels:
    """One `dbt compile` of what the engine is made of."""
    (folder / "beliefs").mkdir()
    environment = {
        **os.environ,
        "CRM_WAREHOUSE_DATABASE": str(folder / "warehouse.duckdb"),
        "CRM_WAREHOUSE_LANDING": str(folder),
        "CRM_WAREHOUSE_BATCHES": str(folder / "batches.parquet"),
        "CRM_WAREHOUSE_TOKENS": str(folder / "tokens.parquet"),
        "CRM_WAREHOUSE_BELIEFS": str(folder / "beliefs"),
        "CRM_WAREHOUSE_QUALITY_RESULTS": str(folder / "quality_results.parquet"),
    }
    variables = {"bank": "reference_bank", "as_of_date": SOME_DAY, "reporting_currency": "CNY", "provided": []}
    project = str(PROJECT / "dbt_project")
    command = [
        sys.executable,
        "-m",
        "dbt.cli.main",
        "--quiet",
        "--log-level-file",
        "none",
        "compile",
        "--no-populate-cache",
    ]
    command += ["--project-dir", project, "--profiles-dir", project, "--target-path", str(folder / "target")]
    command += ["--log-path", str(folder), "--vars", json.dumps(variables)]
    command += ["--select", *(f"+{target}" for target in TARGETS)]
    done = subprocess.run(command, env=environment, cwd=project, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise AssertionError(f"dbt compile failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return CompiledModels(folder / "target" / "manifest.json")


@dataclass(frozen=True)
class Outcome:
    """What the SQL says: histories, states `(held, misses)` and ratings, by customer."""

    history: dict[str, list[Row]]
    states: dict[tuple[str, date], tuple[str, int]]
    ratings: dict[tuple[str, date, str], object]


class Engine:
    def __init__(self, folder: Path) -> None:
        self.models, self.folder = compiled(folder), folder / "beliefs"

    def at(self, as_of: date) -> CompiledModels:
        """The models with another business date in their SQL."""
        dated = copy.copy(self.models)
        dated.by_name = {
            name: replace(model, sql=model.sql.replace(SOME_DAY, str(as_of)))
            for name, model in self.models.by_name.items()
        }
        return dated

    def run(
        self,
        bank: Bank,
        ladder: Ladder,
        past: Iterable[tuple[datetime, Bank]] = (),
        shuffle: Shuffle = list,
    ) -> Outcome:
        """`past`: until when another bank had been received, oldest first."""
        past = list(past)
        kept = [self._believed(number, before, ladder, shuffle) for number, (_, before) in enumerate(past, start=1)]
        beliefs._write(self.folder, [until for until, _ in past], kept)
        models = self.at(bank.as_of)
        with models.scratch() as connection:
            _fill(connection, models, bank, ladder, shuffle)
            models.run(connection, TARGETS, list(INPUTS))
            return _outcome(connection, models)

    def _believed(self, number: int, bank: Bank, ladder: Ladder, shuffle: Shuffle) -> Path:
        """Ratings and spells as of then, in files as `crm_warehouse.beliefs` keeps them."""
        models, folder = self.at(bank.as_of), self.folder / f"kept_{number}"
        folder.mkdir(exist_ok=True)
        beliefs._write(self.folder, [], [])
        with models.scratch() as connection:
            _fill(connection, models, bank, ladder, shuffle)
            one = f"create table {models.relation('int_beliefs')} as select cast({number} as bigint) as belief_number, true as is_present"
            connection.execute(one)
            targets = {part: target for part, (target, _) in beliefs.PARTS.items()}
            models.run(connection, list(targets.values()), [*INPUTS, "int_beliefs"])
            for part, target in targets.items():
                connection.execute(f"copy (from {models.relation(target)} order by all) to '{folder / part}.parquet'")
        return folder


def _fill(
    connection: duckdb.DuckDBPyConnection, models: CompiledModels, bank: Bank, ladder: Ladder, shuffle: Shuffle
) -> None:
    connection.execute("set threads = 1")
    for name, rows in _tables(bank, ladder).items():
        columns = [
            column.split()
            for column in INPUTS[name].replace("decimal(38, 8)", "decimal(38,8)").split(", ")
            if " " in column
        ]
        columns = [column for column in columns if column[0].isidentifier()]
        texts = [[None if value is None else str(value) for value in row] for row in shuffle(rows)]
        frame = pd.DataFrame(texts, columns=[column for column, *_ in columns], dtype=object)
        connection.execute(f"create table {models.relation(name)} ({INPUTS[name]})")
        if len(frame):
            connection.register("frame", frame)
            connection.execute(f"insert into {models.relation(name)} by name from frame")
            connection.unregister("frame")


def _tables(bank: Bank, ladder: Ladder) -> dict[str, list[tuple]]:
    ranked = [(v, tier) for v in ladder.versions for tier in v.tiers]
    ends = [later.effective_from for later in ladder.versions[1:]] + [ladder.versions[-1].effective_to]
    noise = ("other", "other-1", True)
    return {
        "int_months": [(m.first, m.last, m.days, m.is_complete, m.is_fed, m.known_at) for m in bank.months],
        "int_customer_spells": [
            (customer, number, s.begin, s.end, s.opening_known_at, s.closing_known_at)
            for customer, spells in bank.spells.items()
            for number, s in enumerate(sorted(spells, key=lambda spell: spell.begin), start=1)
        ],
        "int_customer_family_months": [
            (customer, month, family, a.amount_days, a.end_amount, a.home_amount_days, a.home_end_amount)
            for (customer, month), families in bank.assets.items()
            for family, a in families.items()
        ],
        "int_customer_debt_months": [(*key, debt.debt_days, debt.end_amount) for key, debt in bank.debts.items()],
        "int_customer_links_latest": [
            (k.one, k.other, k.kind, k.begin, k.end, k.begin_known_at, k.end_known_at) for k in bank.links
        ],
        "int_customer_keys": [(customer, customer) for customer in bank.spells],
        "tier_policies": [
            ("ours", v.name, True, v.base, v.window, v.divisor, v.scope, v.up_lag, v.landing, 1, v.calendar, None,
             v.effective_from, end)
            for v, end in zip(ladder.versions, ends, strict=True)
        ] + [(noise[0], noise[1], False, "total", "month", "calendar", "bank", 1, "last", 1, "monthly", None, "2000-01-01", None)],
        "tier_thresholds": [
            ("ours", v.name, tier.code, tier.rank, tier.threshold, "0.2", None, tier.grace, False) for v, tier in ranked
        ] + [(noise[0], noise[1], "t1", 1, 0, "0.2", None, 0, False)],
        "tier_asset_weights": [("ours", v.name, family, weight) for v in ladder.versions for family, weight in v.weights],
    }  # fmt: skip


def _outcome(connection: duckdb.DuckDBPyConnection, models: CompiledModels) -> Outcome:
    def read(columns: str, name: str, where: str = "true") -> list[tuple]:
        return connection.execute(
            f"select {columns} from {models.relation(name)} where {where} order by all"
        ).fetchall()

    history: dict[str, list[Row]] = {}
    columns = "customer_key, valid_from, known_from, valid_to, known_to, tier_code, previous_tier_code, movement, reason, policy_version"
    for customer, begin, known, end, forgotten, *told in read(columns, "fct_customer_tier_history"):
        history.setdefault(customer, []).append(Row(known, forgotten, Interval(begin, end, *told)))
    # Where no grace is walked through, what a review decided is held until one that changes it.
    held = connection.execute(
        f"""select reviews.customer_id, reviews.month, ladder.tier_code, states.misses_in_grace
        from {models.relation("int_customer_months_rated")} as reviews asof join (
            from {models.relation("int_tier_states")} join {models.relation("int_beliefs")} using (belief_number) where is_present
        ) as states using (customer_id, spell_number, month)
        join {models.relation("int_tier_ladder")} as ladder on ladder.place = states.place
        where reviews.is_in_force and reviews.is_review and reviews.may_decide
            and (reviews.month = states.month or (reviews.customer_id, reviews.spell_number) not in (
                select (customer_id, spell_number) from {models.relation("int_tier_spells_walked")}
                join {models.relation("int_beliefs")} using (belief_number) where is_present
            ))
        union
        select customer_id, month, tier_code, misses_in_grace
        from {models.relation("int_tier_states")} join {models.relation("int_beliefs")} using (belief_number)
        join {models.relation("int_tier_ladder")} using (place) where is_present"""
    ).fetchall()
    states = {(customer, month): (code, misses) for customer, month, code, misses in held}
    rated = "customer_id, month, policy_version, rating_amount"
    ratings = {(customer, month, v): amount for customer, month, v, amount in read(rated, "int_customer_months_rated")}
    return Outcome(history, states, ratings)
