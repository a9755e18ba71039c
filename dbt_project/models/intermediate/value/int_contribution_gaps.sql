-- Inputs that are missing: whose contribution of which month lacks which part, because of what. Of a source that the bank
-- does not provide at all nothing is missing: the part is not available.
{%- set gaps = [
    ('net_interest_deposits_amount', 'transfer_price', 'int_deposit_interest_lines', 'is_price_missing', "product_id || ' ' || currency_code", 'null', ['finance__ftp_rates']),
    ('net_interest_deposits_amount', 'customer_rate', 'int_deposit_interest_lines', 'is_rate_missing', "product_id || ' ' || currency_code", 'null', ['finance__ftp_rates']),
    ('net_interest_loans_amount', 'transfer_price', 'int_loan_interest_lines', 'is_price_missing', "product_id || ' ' || currency_code", 'loan_id', ['core__loans', 'finance__ftp_rates']),
    ('net_interest_loans_amount', 'interest_rate', 'int_loan_interest_lines', 'is_rate_missing', 'product_id', 'loan_id', ['core__loans', 'finance__ftp_rates']),
    ('expected_loss_amount', 'probability_of_default', 'int_loan_interest_lines', 'is_default_missing', 'product_id', 'loan_id', ['core__loans', 'finance__ftp_rates']),
    ('expected_loss_amount', 'loss_given_default', 'int_loan_interest_lines', 'is_loss_missing', 'product_id', 'loan_id', ['core__loans', 'finance__ftp_rates']),
] %}
with missing_costs as (
    select distinct
        customer_id,
        month,
        activity || ' ' || coalesce(channel, 'without a channel') as subject,
        full_amount is null as is_full_missing,
        avoidable_amount is null as is_avoidable_missing
    from {{ ref('int_channel_costs') }}
    where (full_amount is null or avoidable_amount is null) and {{ is_provided('finance__unit_costs') }}
),

contribution_gaps as (
    {% for part, input, model, is_missing, subject, loan, tables in gaps %}
    select
        customer_id,
        month,
        '{{ part }}' as part,
        '{{ input }}' as input,
        {{ subject }} as subject,
        {{ loan }} as loan_id
    from {{ ref(model) }}
    where {{ is_missing }} and {{ tables | select('in', var('provided')) | list == tables }}
    union all
    {% endfor %}
    {% for kind in ('full', 'avoidable') %}
    select
        customer_id,
        month,
        'cost_to_serve_{{ kind }}_amount' as part,
        'unit_cost' as input,
        subject,
        null as loan_id
    from missing_costs
    where is_{{ kind }}_missing
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from contribution_gaps
