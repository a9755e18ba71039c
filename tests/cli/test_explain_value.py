"""`explain value`: accounts, loans and work add up to what the marts say; what is missing is said, and nobody is named."""

from __future__ import annotations

import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import duckdb
import pytest
from conftest import Run
from test_cli import cli

from crm_warehouse.errors import SettingsError
from crm_warehouse.explain.value_facts import read_value_facts
from crm_warehouse.explain.value_sentences import sentences, waterfall

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
CASES = {
    "the best depositor": "net_interest_deposits_amount = (select max(net_interest_deposits_amount) from {0} where month = ?)",
    "a borrower": "net_interest_loans_amount > 0 and net_interest_deposits_amount > 0",
    "a joint account holder": "customer_key in (select customer_key from joint)",
    "a loss maker": "contribution_avoidable_amount < -1",
}
JOINT = """with joint as (
    select keys.customer_key from intermediate.int_position_holders as holders
    join intermediate.int_customer_keys as keys using (customer_id)
    join intermediate.int_deposit_money_spans as money using (position_id)
    where share_fraction < 1 and month = ? and amount_days > 0
) """


def key_of(run: Run, case: str, month: date) -> str:
    where = CASES[case].format("marts.fct_customer_contributions")
    query = f"select customer_key from marts.fct_customer_contributions where month = ? and {where} order by 1 limit 1"
    with duckdb.connect(str(run.warehouse_file), read_only=True) as warehouse:
        if "joint" in where:
            return warehouse.execute(JOINT + query, [month, month]).fetchone()[0]
        return warehouse.execute(query, [month] * query.count("?")).fetchone()[0]


def to_the_cent(amount: Decimal) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("month", [date(2025, 2, 1), JUNE])
def test_accounts_loans_and_work_add_up_to_the_published_contribution(reference_run: Run, case: str, month: date):
    facts = read_value_facts(reference_run.settings, key_of(reference_run, case, month), month)
    said = facts["contribution"]
    deposits = sum(d["reporting_income_amount"] - d["reporting_interest_amount"] for d in facts["deposits"])
    loans = sum(loan["reporting_interest_amount"] - loan["reporting_charge_amount"] for loan in facts["loans"])
    assert to_the_cent(deposits) == said["net_interest_deposits_amount"]
    assert to_the_cent(loans) == said["net_interest_loans_amount"]
    assert to_the_cent(sum(loan["reporting_loss_amount"] for loan in facts["loans"])) == said["expected_loss_amount"]
    assert to_the_cent(facts["fees"]["charged"]) == said["fee_income_amount"]
    for kind in ("full", "avoidable"):
        assert (
            to_the_cent(sum(work[f"{kind}_amount"] for work in facts["work"])) == said[f"cost_to_serve_{kind}_amount"]
        )
    assert to_the_cent(sum(programme["cost_amount"] for programme in facts["programmes"])) == said["perks_amount"]
    assert waterfall(facts)[-1][3] == said["contribution_avoidable_amount"]
    if case == "a joint account holder":
        assert any(deposit["share_fraction"] < 1 for deposit in facts["deposits"])


def test_interest_can_be_worked_out_from_what_is_told_of_an_account(reference_run: Run):
    """Balance x rate x days / day count, with the rates shown beside it, is the margin shown."""
    facts = read_value_facts(reference_run.settings, key_of(reference_run, "the best depositor", MAY), MAY)
    (year,) = (
        Decimal(row["value"]) for row in facts["policy"]["parameters"] if row["parameter"] == "interest_day_count"
    )
    told = [
        d
        for d in facts["deposits"]
        if len(d["customer_rates"]) == len(d["transfer_prices"]) == 1 and d["currency_code"] == "CNY"
    ]
    assert told
    for deposit in told:
        rate = deposit["transfer_prices"][0] - deposit["customer_rates"][0]
        margin = deposit["reporting_income_amount"] - deposit["reporting_interest_amount"]
        assert abs(deposit["average_amount"] * rate * 31 / year - margin) < Decimal("0.01")


def test_a_loans_charge_and_loss_can_be_worked_out_from_the_price_and_probability_told(reference_run: Run):
    facts = read_value_facts(reference_run.settings, key_of(reference_run, "a borrower", MAY), MAY)
    assert facts["loans"]
    for loan in facts["loans"]:
        interest, charge = loan["reporting_interest_amount"], loan["reporting_charge_amount"]
        assert abs(interest * loan["transfer_price"] - charge * loan["customer_rate"]) < Decimal("0.01")
        risk = loan["probability_of_default"] * loan["loss_given_default"] / 12
        assert abs((loan["month_end_amount"] or 0) * risk - loan["reporting_loss_amount"]) < Decimal("0.01")


def test_the_files_behind_a_contribution_are_named_with_their_digests(reference_run: Run):
    facts = read_value_facts(reference_run.settings, key_of(reference_run, "a borrower", JUNE), JUNE)
    tables = {batch["source_table"] for batch in facts["positions_from"]}
    assert "core__balances" in tables
    beside = {batch["source_table"]: batch for batch in facts["beside_them"]}
    assert {
        "core__loans",
        "core__fees",
        "finance__ftp_rates",
        "finance__unit_costs",
        "crm__programmes",
    } <= beside.keys()
    assert all(batch["file"] and len(batch["sha256"]) == 64 for batch in [*facts["positions_from"], *beside.values()])


def test_policy_rows_say_who_approved_them_and_value_is_the_sum_of_its_parts(reference_run: Run):
    facts = read_value_facts(reference_run.settings, key_of(reference_run, "a borrower", JUNE), JUNE)
    text = "\n".join(en for en, _ in sentences(facts))
    assert "interest_day_count is 365 (asset-liability-committee, DEC-2026-006" in text
    assert "DEM-CNY pays" in text
    value = facts["value"]
    assert value["lifetime_value"] == value["base_value"] + value["growth_value"] + value["potential_value"]
    assert f"lifetime value {value['lifetime_value']:,.2f} = base" in text


def test_a_month_before_anything_is_learned_of_who_stays_has_a_level_and_no_class(reference_run: Run):
    first = date(2024, 6, 1)
    facts = read_value_facts(reference_run.settings, key_of(reference_run, "a borrower", first), first)
    assert facts["value"]["pyramid_level"] and facts["value"]["value_class"] is None
    assert any("class not available" in en and "价值类别：不可得" in zh for en, zh in sentences(facts))


def test_a_bank_without_prices_says_what_is_not_available(eagle_run: Run):
    with duckdb.connect(str(eagle_run.published_file), read_only=True) as marts:
        (key,) = marts.execute(
            "select customer_key from marts.fct_customer_contributions where month = date '2014-02-01' order by 1"
        ).fetchone()
    facts = read_value_facts(eagle_run.settings, key, date(2014, 2, 1))
    text = "\n".join(en for en, _ in sentences(facts))
    assert "the contribution of 2014-02 is not available" in text
    assert "not taken for zero: not provided: crm__programmes, finance__ftp_rates, finance__unit_costs" in text
    assert "lifetime value is not available" in text


def test_an_unknown_month_or_customer_is_one_sentence(reference_run: Run):
    key = key_of(reference_run, "a borrower", JUNE)
    with pytest.raises(SettingsError, match="no contribution in 2020-01: this customer's months are 20"):
        read_value_facts(reference_run.settings, key, date(2020, 1, 1))
    with pytest.raises(SettingsError, match="knows no such customer"):
        read_value_facts(reference_run.settings, "C99999999", JUNE)


def test_the_command_says_it_in_both_languages_and_draws_it(reference_run: Run):
    key = key_of(reference_run, "a loss maker", JUNE)
    said = cli(reference_run.settings.home, "explain", "value", key, "2026-06")
    assert said.returncode == 0, said.stderr
    assert "贡献度瀑布" in said.stdout and "█" in said.stdout and "客户经理" not in said.stderr
    found = json.loads(cli(reference_run.settings.home, "explain", "value", key, "2026-06", "--json").stdout)
    assert found["customer_key"] == key and found["sentences"][0]["zh"].startswith("2026-06贡献度")
