"""Everything behind one customer's contribution and value in one month, read out of the last built warehouse.

What each account brings comes from the very SQL that adds up contributions: it is run on this customer's deposits alone, each
account standing as a customer of its own. Nothing personal is read.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from crm_warehouse.build import last_build
from crm_warehouse.errors import SettingsError
from crm_warehouse.explain.files_behind import read_files_behind
from crm_warehouse.explain.warehouse import Warehouse
from crm_warehouse.policy import read_policy
from crm_warehouse.profile import Profile, load_profile
from crm_warehouse.replay import CompiledModels
from crm_warehouse.settings import Settings
from crm_warehouse.sql_text import as_text

LINES, MONEY = "int_deposit_interest_lines", "int_deposit_money_spans"
PARAMETERS = ("interest_day_count", "value_discount_rate", "value_horizon_months")
# The steps of the waterfall: column of fct_customer_contributions, and whether it adds or takes away.
STEPS = (
    ("net_interest_deposits_amount", 1),
    ("net_interest_loans_amount", 1),
    ("fee_income_amount", 1),
    ("expected_loss_amount", -1),
    ("perks_amount", -1),
    ("cost_to_serve_avoidable_amount", -1),
)


def read_value_facts(settings: Settings, customer: str, month: date) -> dict:
    """What a customer (key, or for who holds the key the bank's own id) contributed in a month, and is worth at its end.

    Raises SettingsError in one sentence, which never repeats the id, for a customer or month the warehouse does not know.
    """
    profile = load_profile(settings)
    with last_build(settings) as (database, manifest):
        models = CompiledModels(manifest)
        with duckdb.connect(str(database), read_only=True) as connection:
            asking = Warehouse(connection, models, settings)
            customer_id, customer_key = asking.known(customer)
            facts = _marts(asking, customer_key, month) | _parts(asking, customer_id, month)
            contributed = ("fct_customer_contributions",)
            facts |= read_files_behind(asking.ask, models, settings, [customer_id], [month], decided_by=contributed)
        # Opened anew: an engine does not attach a file that it has open already.
        facts["deposits"] = _deposits(models, database, customer_id, month)
    facts["policy"] = _policy(profile, facts, month)
    head = {"bank": profile.bank, "currency": profile.reporting_currency, "customer_key": customer_key, "month": month}
    return head | facts


def _marts(asking: Warehouse, key: str, month: date) -> dict:
    contribution = asking.one(
        "select * exclude (customer_key, month) from {fct_customer_contributions} where customer_key = ? and month = ?",
        key,
        month,
    )
    if contribution is None:
        own = asking.one(
            "select min(month) as first, max(month) as last from {fct_customer_contributions} where customer_key = ?",
            key,
        )
        known = (
            f"this customer's months are {own['first']:%Y-%m} to {own['last']:%Y-%m}"
            if own["first"]
            else "it has no month"
        )
        raise SettingsError(f"this customer has no contribution in {month:%Y-%m}: {known}")
    value = asking.one(
        "select * exclude (customer_key, month) from {fct_customer_values} where customer_key = ? and month = ?",
        key,
        month,
    )
    loss = asking.one(
        "select * exclude (customer_key, month) from {fct_loss_making_customers} where customer_key = ? and month = ?",
        key,
        month,
    )
    return {"contribution": contribution, "value": value, "loss": loss}


def _parts(asking: Warehouse, customer_id: str, month: date) -> dict:
    """Loans, fees, work by channel and programmes of the month, as the ledger lines have them."""
    return {
        "loans": asking.rows(
            "select loan_id, product_id, currency_code, average_amount, month_end_amount, max(customer_rate) as customer_rate,"
            " max(transfer_price) as transfer_price, max(probability_of_default) as probability_of_default,"
            " max(loss_given_default) as loss_given_default, sum(reporting_interest_amount) as reporting_interest_amount,"
            " sum(reporting_charge_amount) as reporting_charge_amount, sum(reporting_loss_amount) as reporting_loss_amount"
            " from {int_loan_interest_lines} join ("
            "   select loan_id, month, max(case when is_month_end then amount end) as month_end_amount,"
            "     cast(sum(amount * (span_to - span_from)) / sum(span_to - span_from) as decimal(18, 2)) as average_amount"
            "   from {int_loan_month_spans} group by loan_id, month"
            " ) as spans using (loan_id, month) where customer_id = ? and month = ? group by all order by loan_id",
            customer_id,
            month,
        ),
        "fees": asking.one(
            "select coalesce(sum(reporting_charged_amount), 0) as charged, coalesce(sum(reporting_waived_amount), 0) as waived"
            " from {int_fee_lines} where customer_id = ? and month = ?",
            customer_id,
            month,
        ),
        "work": asking.rows(
            "select activity, channel, sum(units) as units, sum(full_amount) as full_amount, sum(avoidable_amount) as avoidable_amount"
            " from {int_channel_costs} where customer_id = ? and month = ? group by all order by activity, channel",
            customer_id,
            month,
        ),
        "programmes": asking.rows(
            "select programme_type, joined_on, left_on, entitled_units, used_units, cost_amount from {stg_crm__programmes}"
            " where customer_id = ? and business_date = (select max(business_date) from {stg_crm__programmes})"
            " and joined_on <= last_day(?) and (left_on is null or left_on > ?) order by programme_type, joined_on",
            customer_id,
            month,
            month,
        ),
    }


def _deposits(models: CompiledModels, database: Path, customer_id: str, month: date) -> list[dict]:
    """The customer's share of each deposit account: average balance, rates, and what the contribution takes from it."""
    own = f"where position_id in (select position_id from {models.built('int_position_holders')} where customer_id = {as_text(customer_id)})"
    with models.scratch() as scratch:
        models.attach(scratch, database)
        models.give(scratch, ["int_parameter_spans"])
        scratch.execute(
            f"create view {models.relation(MONEY)} as from {models.built(MONEY)} {own} and month = date '{month}'"
        )
        scratch.execute(
            f"create view {models.relation('int_position_holders')} as select * replace (position_id as customer_id)"
            f" from {models.built('int_position_holders')} where customer_id = {as_text(customer_id)}"
        )
        models.run(scratch, [LINES], ["int_parameter_spans", MONEY, "int_position_holders"])
        found = scratch.execute(
            # One line an account, though its interest is booked at two branches in the month of a move.
            f"""with lines as (
                select customer_id, month, product_id, currency_code, sum(reporting_income_amount) as reporting_income_amount,
                    sum(reporting_interest_amount) as reporting_interest_amount, bool_or(is_price_missing) as is_price_missing,
                    bool_or(is_rate_missing) as is_rate_missing
                from {models.relation(LINES)} group by all
            ),
            money as (
                select position_id, holders.share_fraction, sum(amount_days * share_fraction) as amount_days,
                    list(distinct customer_rate order by customer_rate) as customer_rates,
                    list(distinct transfer_price order by transfer_price) as transfer_prices
                from {models.relation(MONEY)} as spans join {models.relation("int_position_holders")} as holders using (position_id)
                where held_from = valid_from and held_to = valid_to group by all
            )
            select replace(lines.customer_id, 'account:', '') as account_id, product_id, currency_code, share_fraction,
                cast(amount_days / day(last_day(month)) as decimal(18, 2)) as average_amount, customer_rates, transfer_prices,
                reporting_income_amount, reporting_interest_amount, is_price_missing, is_rate_missing
            from lines join money on money.position_id = lines.customer_id
            order by abs(reporting_income_amount - reporting_interest_amount) desc, account_id"""
        )
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _policy(profile: Profile, facts: dict, month: date) -> dict[str, list[dict]]:
    """The policy rows that decided: parameters in force, and the customer rates of the deposits' products."""
    products = {deposit["product_id"] for deposit in facts["deposits"]}
    last_day = f"{month:%Y-%m}-31"

    def in_force(rows: list[dict], key: str, wanted: set[str]) -> list[dict]:
        latest: dict[str, dict] = {}
        for row in sorted(rows, key=lambda row: row["effective_from"]):
            if row[key] in wanted and row["effective_from"] <= last_day:
                latest[row[key]] = row
        return [latest[name] for name in sorted(latest)]

    return {
        "parameters": in_force(read_policy(profile.folder, "policy_parameters"), "parameter", set(PARAMETERS)),
        "deposit_rates": in_force(read_policy(profile.folder, "deposit_rates"), "product_id", products),
    }
