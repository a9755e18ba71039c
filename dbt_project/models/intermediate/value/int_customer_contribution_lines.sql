{{ config(materialized='view') }}
{#- Component, its amount in the line's currency and in the bank's, whether an input is missing, and where it is from. -#}
{%- set year = 'lines.day_count' %}
{%- set components = [
    ('deposit_transfer_income', exact_quotient('lines.income_days', year, 6), exact_quotient('lines.reporting_income_days', year, 6), 'is_price_missing', 'deposits'),
    ('deposit_interest', exact_quotient('lines.interest_days', year, 6), exact_quotient('lines.reporting_interest_days', year, 6), 'is_rate_missing', 'deposits'),
    ('loan_interest', exact_quotient('lines.interest_days', year, 6), exact_quotient('lines.reporting_interest_days', year, 6), 'is_rate_missing', 'loans'),
    ('loan_transfer_charge', exact_quotient('lines.charge_days', year, 6), exact_quotient('lines.reporting_charge_days', year, 6), 'is_price_missing', 'loans'),
    ('expected_loss', exact_quotient('lines.loss_year_amount', 12, 6), exact_quotient('lines.reporting_loss_year_amount', 12, 6), '(lines.is_default_missing or lines.is_loss_missing)', 'loans'),
    ('fee_income', 'lines.charged_amount', 'lines.reporting_charged_amount', 'false', 'fees'),
    ('fees_waived', 'cast(0 as decimal(18, 6))', 'lines.reporting_waived_amount', 'false', 'fees'),
    ('cost_to_serve_full', 'lines.full_amount', 'lines.full_amount', 'is_full_missing', 'costs'),
    ('cost_to_serve_avoidable', 'lines.avoidable_amount', 'lines.avoidable_amount', 'is_avoidable_missing', 'costs'),
    ('perks', 'lines.cost_amount', 'lines.cost_amount', 'false', 'perks'),
] %}
-- What each customer brings and costs, as the ledger books it: a line has six places, always positive. All that is said of
-- a customer's contribution and all that is reconciled with the ledger is added up from these rows.
with years as (
    select
        cast(value as integer) as day_count,
        valid_from,
        valid_to
    from {{ ref('int_parameter_spans') }}
    where parameter = 'interest_day_count'
),

deposits as (
    select
        lines.*,
        years.day_count
    from {{ ref('int_deposit_interest_lines') }} as lines
    inner join years
        on lines.month >= years.valid_from and lines.month < years.valid_to
),

loans as (
    select
        lines.*,
        years.day_count
    from {{ ref('int_loan_interest_lines') }} as lines
    inner join years
        on lines.month >= years.valid_from and lines.month < years.valid_to
),

fees as (
    select * from {{ ref('int_fee_lines') }}
),

costs as (
    select
        lines.*,
        '{{ var("reporting_currency") }}' as currency_code
    from {{ ref('int_service_cost_lines') }} as lines
),

perks as (
    select
        lines.*,
        '{{ var("reporting_currency") }}' as currency_code
    from {{ ref('int_perk_lines') }} as lines
),

customer_contribution_lines as (
    {% for component, amount, reporting_amount, missing, source in components %}
    select
        lines.customer_id,
        lines.month,
        '{{ component }}' as component,
        lines.branch_id,
        lines.currency_code,
        {{ amount }} as line_amount,
        {{ reporting_amount }} as reporting_amount,
        {{ missing }} as is_missing
    from {{ source }} as lines
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from customer_contribution_lines
