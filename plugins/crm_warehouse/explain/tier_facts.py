"""Everything behind one customer's tier in one month, read out of the last built warehouse.

The parts of the rating come from the very SQL that rates: it is run on this customer's amounts alone, each product family
standing as a customer of its own, so that a part is rounded as it is rounded in the rating. Nothing personal is read.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from crm_warehouse.build import last_build
from crm_warehouse.errors import SettingsError
from crm_warehouse.explain.files_behind import read_files_behind
from crm_warehouse.explain.warehouse import Warehouse
from crm_warehouse.profile import load_profile
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings
from crm_warehouse.sql_text import as_text


def read_tier_facts(settings: Settings, customer: str, month: date) -> dict:
    """What decided the tier of a customer (key, or for who holds the key the bank's own id) in a month.

    Raises SettingsError in one sentence, which never repeats the id, for a customer or month the warehouse does not know.
    """
    profile = load_profile(settings)
    with last_build(settings) as (database, manifest):
        models = CompiledModels(manifest)
        with duckdb.connect(str(database), read_only=True) as warehouse:
            facts = _Facts(warehouse, models, settings, customer, month).read()
        # Opened anew: an engine does not attach a file that it has open already.
        facts["families"] = _families(
            models, database, facts.pop("customer_id"), month, facts["rating"]["policy_version"]
        )
    return {"bank": profile.bank, "currency": profile.reporting_currency, **facts}


def _families(models: CompiledModels, database: Path, customer_id: str, month: date, version: str) -> dict:
    """The rating's parts by product family."""
    with models.scratch() as scratch:
        models.attach(scratch, database)
        models.give(scratch, ["int_rating_windows"], f"month = date '{month}' and policy_version = {as_text(version)}")
        models.give(scratch, ["tier_asset_weights"])
        amounts = models.built("int_rating_amounts")
        scratch.execute(
            f"create view {models.relation('int_rating_amounts')} as"
            f" select * replace (product_family as customer_id) from {amounts} where customer_id = {as_text(customer_id)}"
        )
        models.run(
            scratch, ["int_customer_ratings"], ["int_rating_windows", "tier_asset_weights", "int_rating_amounts"]
        )
        parts = scratch.execute(
            f"select customer_id, rating_amount from {models.relation('int_customer_ratings')}"
            " where rating_amount <> 0 order by abs(rating_amount) desc, customer_id"
        )
        return dict(parts.fetchall())


class _Facts(Warehouse):
    """The queries, on one connection to the warehouse."""

    def __init__(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        models: CompiledModels,
        settings: Settings,
        customer: str,
        month: date,
    ) -> None:
        super().__init__(warehouse, models, settings)
        self._month = month
        self._customer_id, self._customer_key = self.known(customer)

    def read(self) -> dict:
        rating = self._rating()
        ladder = self.rows(
            "select * from {dim_tier_policies} where policy_version = ? order by tier_rank", rating["policy_version"]
        )
        state = self._state(rating)
        rating["decided_by_version"] = state["policy_version"] if state else None
        deciding = ladder
        if state and state["policy_version"] != rating["policy_version"]:
            deciding = self.rows(
                "select * from {dim_tier_policies} where policy_version = ? order by tier_rank", state["policy_version"]
            )
        effect = self._effect(state, deciding, rating)
        day = effect["on"] if effect else self._decided_for(deciding[0]["up_lag_months"], rating)
        scope = "household" if ladder[0]["rating_scope"] == "household" else "own"
        members = self.rows(
            "select member_id, customer_key from {int_rating_members} as members"
            " left join {int_customer_keys} as keys on keys.customer_id = members.member_id"
            " where month = ? and rating_kind = ? and members.customer_id = ? order by customer_key",
            self._month,
            scope,
            self._customer_id,
        )
        windows = [
            row["window_month"]
            for row in self.rows(
                "select window_month from {int_rating_windows} where month = ? and policy_version = ? order by 1",
                self._month,
                rating["policy_version"],
            )
        ]
        return {
            "customer_id": self._customer_id,
            "customer_key": self._customer_key,
            "month": self._month,
            "rating": rating,
            "window": windows,
            "divisor": self.one(
                "select max(divisor) as divisor from {int_rating_windows} where month = ? and policy_version = ?",
                self._month,
                rating["policy_version"],
            )["divisor"],
            "weights": {
                row["product_family"]: row["weight"]
                for row in self.rows(
                    "select product_family, weight from {tier_asset_weights} where policy_version = ? order by 1",
                    rating["policy_version"],
                )
            },
            "members": [member["customer_key"] for member in members],
            "ladder": ladder,
            "deciding_ladder": deciding,
            "state": state,
            "before": self._held_on(rating["month_end"]),
            "effect": effect,
            "believed_of": day,
            "believed_before": self._believed_before(day, rating),
            **read_files_behind(
                self.ask,
                self._models,
                self._settings,
                [self._customer_id, *(m["member_id"] for m in members)],
                windows,
                decided_by=("int_customer_ratings", "int_tier_spells"),
            ),
        }

    def _rating(self) -> dict:
        rating = self.one(
            "select rated.* exclude (customer_id), held_tier_code, misses_in_grace, is_on_watch"
            " from {int_customer_months_rated} as rated join {fct_customer_tiers_monthly} as monthly"
            " on monthly.month = rated.month and monthly.customer_key = ?"
            " where rated.customer_id = ? and rated.month = ? and rated.is_in_force",
            self._customer_key,
            self._customer_id,
            self._month,
        )
        if rating:
            return rating
        merged = self.one(
            "select keys.customer_key from {int_rating_members} as members"
            " join {int_customer_keys} as keys on keys.customer_id = members.member_id"
            " join {fct_customer_tiers_monthly} as monthly on monthly.customer_key = keys.customer_key"
            "   and monthly.month = members.month"
            " where members.month = ? and rating_kind = 'own' and members.customer_id = ? order by customer_key",
            self._month,
            self._customer_id,
        )
        if merged:
            raise SettingsError(
                f"in {self._month:%Y-%m} this record is one with {merged['customer_key']}, which is rated: ask for that one"
            )
        months = self.one("select min(month) as first, max(month) as last from {int_months}")
        own = self.one(
            "select min(month) as first, max(month) as last from {fct_customer_tiers_monthly} where customer_key = ?",
            self._customer_key,
        )
        what = f"the months of the warehouse are {months['first']:%Y-%m} to {months['last']:%Y-%m}"
        if own["first"]:
            what += f", of this customer {own['first']:%Y-%m} to {own['last']:%Y-%m}"
        raise SettingsError(f"nothing is rated in {self._month:%Y-%m}: {what}")

    def _state(self, rating: dict) -> dict | None:
        """What the month's review left the customer with; None where the month was none to decide."""
        state = self.one(
            "select states.* exclude (customer_id), held.policy_version, held.tier_code as held_tier_code,"
            " previous.tier_code as previous_tier_code, walked.spell_number is not null as is_walked"
            " from {int_tier_states} as states join {int_beliefs} using (belief_number)"
            " join {int_tier_ladder} as held using (place)"
            " left join {int_tier_ladder} as previous on previous.place = states.previous_place"
            " left join {int_tier_spells_walked} as walked using (belief_number, customer_id, spell_number)"
            " where is_present and customer_id = ? and month <= ? and states.spell_number = ? order by month desc limit 1",
            self._customer_id,
            self._month,
            rating["spell_number"],
        )
        if state and state["month"] < self._month:
            # Where no grace is walked through, only reviews that change something are kept.
            is_kept = not state["is_walked"] and rating["is_review"] and rating["may_decide"]
            kept = {"month": self._month, "is_first": False, "previous_tier_code": state["held_tier_code"]}
            return {**state, **kept} if is_kept else None
        return state

    def _held_on(self, day: date) -> dict | None:
        return self.one(
            "select * exclude (customer_key) from {fct_customer_tier_history} where customer_key = ?"
            " and known_to = timestamp '9999-12-31' and valid_from <= ? and valid_to > ?",
            self._customer_key,
            day,
            day,
        )

    def _effect(self, state: dict | None, ladder: list[dict], rating: dict) -> dict | None:
        """When what the month decided takes effect, and the interval it begins; None where it decided nothing new."""
        if not state or (not state["is_first"] and state["held_tier_code"] == state["previous_tier_code"]):
            return None
        ranks = {tier["tier_code"]: tier["tier_rank"] for tier in ladder}
        is_down = ranks[state["held_tier_code"]] < ranks.get(state["previous_tier_code"], 0)
        on = self._decided_for(1 if is_down else ladder[0]["up_lag_months"], rating)
        last_day = self.one("select max(month_end) as day from {int_months}")["day"]
        interval = self._held_on(on) if on <= last_day else None
        return {"on": on, "is_shown": on <= last_day, "is_down": is_down, "interval": interval}

    def _decided_for(self, lag_months: int, rating: dict) -> date:
        """The day for which the month decides: the first of a later month, with no lag its own last day."""
        if not lag_months:
            return rating["month_end"]
        return self.one("select cast(? + to_months(?) as date) as day", self._month, lag_months)["day"]

    def _believed_before(self, day: date, rating: dict) -> list[dict]:
        """What was believed of the day, and of the month's rating, until a correction was received; only what differs."""
        now = self._held_on(day)
        held = self.rows(
            "select history.known_to as until, tier_code from {fct_customer_tier_history} as history"
            " join {int_beliefs} as beliefs on beliefs.known_to = history.known_to"
            " where not is_present and customer_key = ? and valid_from <= ? and valid_to > ? order by until",
            self._customer_key,
            day,
            day,
        )
        rated = self.rows(
            "select beliefs.known_to as until, ladder.tier_code from {int_ratings_believed} as rated"
            " join {int_beliefs} as beliefs using (belief_number) join {int_tier_ladder} as ladder using (place)"
            " where not is_present and customer_id = ? and month = ? and rated.policy_version = ? order by until",
            self._customer_id,
            self._month,
            rating["policy_version"],
        )
        found: dict = {}
        for row in held:
            if row["tier_code"] != (now["tier_code"] if now else None):
                found.setdefault(row["until"], {})["held_tier_code"] = row["tier_code"]
        for row in rated:
            if row["tier_code"] != rating["tier_code"]:
                found.setdefault(row["until"], {})["rated_tier_code"] = row["tier_code"]
        return [{"until": until, **believed} for until, believed in sorted(found.items())]
