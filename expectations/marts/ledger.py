"""Customers tie to the general ledger, and what is missing to say so is named: a sum that nobody can trace may not be shown."""

from __future__ import annotations

from collections.abc import Iterator

from crm_warehouse.policy import read_policy
from crm_warehouse.profile import Profile
from crm_warehouse.quality.rule import Rule
from expectations.marts.mart_rule import mart_rule

FINANCE = "finance-controller"
TIES = "BCBS 239 P3 accuracy: reconciled with accounting; 数据治理指引 第三十二条 与会计数据核对"
# What each part of a contribution is made of, by what a ledger line is reconciled with.
PARTS = {
    "net_interest_deposits_amount": {"deposit_transfer_income": 1, "deposit_interest": -1},
    "net_interest_loans_amount": {"loan_interest": 1, "loan_transfer_charge": -1},
    "fee_income_amount": {"fee_income": 1},
    "expected_loss_amount": {"expected_loss": 1},
    "cost_to_serve_full_amount": {"cost_to_serve_full": 1},
    "perks_amount": {"perks": 1},
}
CELL = (
    "ledger_code || ' ' || line_name_en || ' of ' || strftime(month, '%Y-%m') || ' at ' || coalesce(branch_id, 'no branch')"
    " || ' in ' || currency_code || ': customers ' || warehouse_amount || ' + unallocated ' || unallocated_amount"
    " || ' but ledger ' || ledger_amount || ', ' || difference_amount || ' unexplained'"
)


def build_rules(profile: Profile, coverage: dict[str, str]) -> Iterator[Rule]:
    """Rules of the gaps of every bank, and of the ledger where the bank has one."""
    yield from _gap_rules(profile)
    if coverage.get("fct_ledger_reconciliation") != "dark":
        yield from _ledger_rules(profile)


def _gap_rules(profile: Profile) -> Iterator[Rule]:
    yield mart_rule(
        "nothing_missing",
        "fct_contribution_gaps",
        "true",
        name_en="No price, cost, rate or probability is missing",
        name_zh="价格、成本、利率、违约概率均无缺失",
        reason="Customers whose input is missing have no contribution that month; the figure is null, with its reason, never zero.",
        severity="warn",
        dimension="completeness",
        owner=FINANCE,
        on_failure="Published with nulls in their place; have the price, cost or probability delivered, then run again.",
        principle="BCBS 239 P4 completeness",
        listing="select sentence_en from marts.fct_contribution_gaps order by month desc, customer_count desc, 1",
    )
    most = _in_force(profile, "contribution_gap_max_share")
    of_month = "(select count(*) from marts.fct_customer_contributions as one where one.month = checked.month)"
    yield mart_rule(
        "concerns_few_customers",
        "fct_contribution_gaps",
        f"checked.customer_count > {most} * {of_month}",
        name_en="What is missing concerns no more customers than policy allows",
        name_zh="缺失影响的客户数在政策范围内",
        reason="A month without most of its figures would be published as if it were one.",
        dimension="completeness",
        owner=FINANCE,
        principle="BCBS 239 P4 completeness",
        listing=f"select sentence_en from marts.fct_contribution_gaps as checked"
        f" where customer_count > {most} * {of_month} order by month desc, 1",
    )
    lost = " or ".join(f"checked.{part} is null" for part in (*PARTS, "cost_to_serve_avoidable_amount"))
    yield mart_rule(
        "reason_fits_parts",
        "fct_customer_contributions",
        f"(checked.unavailable_reason is not null) <> ({lost})",
        name_en="A reason is given where a part is null, and only there",
        name_zh="分项为空时均说明原因，且仅在为空时说明",
        reason="A figure that is not there without a reason reads as an error of the report.",
        dimension="completeness",
    )


def _ledger_rules(profile: Profile) -> Iterator[Rule]:
    share, amount = (
        _in_force(profile, "ledger_difference_max_share"),
        _in_force(profile, "ledger_difference_rounding_amount"),
    )
    within = f"abs(checked.difference_amount) <= greatest({amount}, {share} * abs(checked.ledger_amount))"
    yield mart_rule(
        "ties_to_ledger",
        "fct_ledger_reconciliation",
        f"checked.missing_count = 0 and not {within}",
        name_en="Customers and what is unallocated equal the general ledger",
        name_zh="客户合计加未分摊等于总账",
        reason="A contribution that the ledger does not know is no profit.",
        owner=FINANCE,
        principle=TIES,
        listing=f"select {CELL} from marts.fct_ledger_reconciliation as checked where missing_count = 0 and not {within}"
        " order by abs(difference_amount) desc, 1",
    )
    yield mart_rule(
        "cannot_be_told",
        "fct_ledger_reconciliation",
        "checked.missing_count > 0",
        name_en="No line of the ledger is left unreconciled by a missing input",
        name_zh="无总账科目因缺少输入而无法核对",
        reason="While an input is missing nobody can say whether the line ties.",
        severity="warn",
        dimension="completeness",
        owner=FINANCE,
        principle=TIES,
        listing=f"select {CELL} || ', ' || missing_count || ' lines lack an input'"
        " from marts.fct_ledger_reconciliation where missing_count > 0 order by abs(difference_amount) desc, 1",
    )
    yield mart_rule(
        "verdict_fits_difference",
        "fct_ledger_reconciliation",
        f"""checked.difference_amount <> checked.ledger_amount - checked.warehouse_amount - checked.unallocated_amount
        or checked.is_reconciled is distinct from (case when checked.missing_count = 0 then {within} end)""",
        name_en="The verdict on a line follows from its amounts",
        name_zh="核对结论与金额一致",
        reason="A line that is called reconciled must be.",
        owner=FINANCE,
        principle=TIES,
    )
    lines = _lines(profile)
    yield mart_rule(
        "unallocated_by_policy",
        "fct_ledger_reconciliation",
        f"""not exists (select 1 from ({lines}) as line where line.code = checked.ledger_code
            and line.reconciled_with = checked.reconciled_with and checked.month >= line.begins and checked.month < line.ends)
        or checked.reconciled_with = 'no_customer' and checked.warehouse_amount <> 0""",
        name_en="Every line is one that policy names, and one of no customer has no customer's money",
        name_zh="每个科目均有政策依据，不属于客户的科目无客户金额",
        reason="What is called unallocated without a decision is a plug.",
        owner=FINANCE,
        principle=TIES,
    )
    yield mart_rule(
        "has_ledger_of_every_month",
        "dim_dates",
        f"""checked.is_month_end and checked.month >= coalesce(
            (select min(month) from marts.fct_ledger_reconciliation),
            (select min(month) + interval 1 month from marts.dim_dates)
        ) and exists (
            select 1 from ({lines}) as line where checked.month >= line.begins and checked.month < line.ends
            and not exists (
                select 1 from marts.fct_ledger_reconciliation as ties
                where ties.month = checked.month and ties.ledger_code = line.code
            )
        )""",
        name_en="Every line is reconciled in every month that is over",
        name_zh="每个已结束月份的每个科目均已核对",
        reason="A line that is left out reads as one that ties.",
        dimension="completeness",
        owner=FINANCE,
        principle=TIES,
    )
    yield mart_rule(
        "is_what_was_reconciled",
        "fct_customer_contributions",
        f"checked.month in (select month from ({_reported_otherwise()}))",
        name_en="Customers' parts of a month add up to what was reconciled with the ledger",
        name_zh="客户各分项合计等于与总账核对的金额",
        reason="What ties to the ledger and what is shown of customers must be the same money.",
        dimension="consistency",
        owner=FINANCE,
        principle=TIES,
        listing=f"select part || ' of ' || strftime(month, '%Y-%m') || ': customers show ' || shown || ', reconciled are ' || booked"
        f" from ({_reported_otherwise()}) order by month desc, 1",
    )


def _reported_otherwise() -> str:
    """Months and parts whose customers' cents do not add up to the lines, beyond half a cent a customer and line."""
    parts = []
    for part, components in PARTS.items():
        signed = " ".join(f"when '{component}' then {sign}" for component, sign in components.items())
        names = ", ".join(f"'{component}'" for component in components)
        parts.append(
            f"""select booked.month, '{part}' as part, booked.amount as booked, shown.amount as shown
            from (
                select month, sum(case reconciled_with {signed} end * warehouse_reporting_amount) as amount, count(*) as cells
                from marts.fct_ledger_reconciliation where reconciled_with in ({names})
                group by month having sum(missing_count) = 0
            ) as booked
            join (
                select month, sum({part}) as amount, count(*) as customers
                from marts.fct_customer_contributions group by month
            ) as shown on shown.month = booked.month
            where abs(booked.amount - shown.amount) > 0.005 * (shown.customers + booked.cells)"""
        )
    return " union all ".join(parts)


def _in_force(profile: Profile, name: str) -> str:
    """SQL of a policy parameter on the first of `checked.month`."""
    rows = [row for row in read_policy(profile.folder, "policy_parameters") if row["parameter"] == name]
    steps = ", ".join(f"(date '{row['effective_from']}', {row['value']})" for row in rows)
    return (
        f"(select max_by(step.value, step.begins) from (values {steps}) as step(begins, value)"
        " where step.begins <= checked.month)"
    )


def _lines(profile: Profile) -> str:
    rows = read_policy(profile.folder, "ledger_contribution_lines")
    listed = ", ".join(
        f"('{row['ledger_code']}', '{row['reconciled_with']}', date '{row['effective_from']}',"
        f" date '{row['effective_to'] or '9999-12-31'}')"
        for row in rows
    )
    return f"select * from (values {listed}) as line(code, reconciled_with, begins, ends)"
