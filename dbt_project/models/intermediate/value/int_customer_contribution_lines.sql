{{ config(materialized='view') }}
{#- Component, its amount in the line's currency and in the bank's, whether an input is missing, and where it is from. -#}
{%- set components = [
    ('deposit_transfer_income', 'income_amount', 'reporting_income_amount', 'is_price_missing', ref('int_deposit_interest_lines')),
    ('deposit_interest', 'interest_amount', 'reporting_interest_amount', 'is_rate_missing', ref('int_deposit_interest_lines')),
    ('loan_interest', 'interest_amount', 'reporting_interest_amount', 'is_rate_missing', ref('int_loan_interest_lines')),
    ('loan_transfer_charge', 'charge_amount', 'reporting_charge_amount', 'is_price_missing', ref('int_loan_interest_lines')),
    ('expected_loss', 'loss_amount', 'reporting_loss_amount', 'is_default_missing or is_loss_missing', ref('int_loan_interest_lines')),
    ('fee_income', 'charged_amount', 'reporting_charged_amount', 'false', ref('int_fee_lines')),
    ('cost_to_serve_full', 'full_amount', 'full_amount', 'is_full_missing', ref('int_service_cost_lines')),
    ('perks', 'cost_amount', 'cost_amount', 'false', ref('int_perk_lines')),
] %}
-- What each customer brings and costs, as the ledger books it: a line has six places, always positive. A contribution's
-- parts (int_customer_contribution_parts) and what is reconciled with the ledger are added up from these very rows.
with customer_contribution_lines as (
    {% for component, amount, reporting_amount, missing, lines in components %}
    select
        customer_id,
        month,
        '{{ component }}' as component,
        branch_id,
        currency_code,
        {{ amount }} as line_amount,
        {{ reporting_amount }} as reporting_amount,
        {{ missing }} as is_missing
    from {{ lines }}
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from customer_contribution_lines
