-- A part whose source the bank does not provide is null (not available), and so is one of which an input is missing in
-- the month: never zero.
{%- set parts = {
    'net_interest_deposits_amount': (['deposit_transfer_income'], ['deposit_interest'], ['finance__ftp_rates']),
    'net_interest_loans_amount': (['loan_interest'], ['loan_transfer_charge'], ['finance__ftp_rates', 'core__loans']),
    'fee_income_amount': (['fee_income'], [], ['core__fees']),
    'expected_loss_amount': (['expected_loss'], [], ['core__loans', 'finance__ftp_rates']),
    'cost_to_serve_full_amount': (['cost_to_serve_full'], [], ['finance__unit_costs']),
    'cost_to_serve_avoidable_amount': (['cost_to_serve_avoidable'], [], ['finance__unit_costs']),
    'perks_amount': (['perks'], [], ['crm__programmes']),
    'waived_amount': (['fees_waived'], [], ['core__fees']),
} %}

with sums as (
    select
        customer_id,
        month,
        {% for part, (plus, minus, _) in parts.items() %}
            sum(case component {% for name in plus %}when '{{ name }}' then reporting_amount {% endfor %}
                {%- for name in minus %}when '{{ name }}' then -reporting_amount {% endfor %}else 0 end) as {{ part }},
            bool_or(is_missing and component in ('{{ (plus + minus) | join("', '") }}')) as is_{{ part }}_missing
            {{- "," if not loop.last }}
        {% endfor %}
    from {{ ref('int_customer_contribution_lines') }}
    group by customer_id, month
),

customer_contribution_parts as (
    select
        months.customer_id,
        months.month,
        months.is_partial_month,
        {% for part, (_, _, tables) in parts.items() %}
            {% if tables | select('in', var('provided')) | list == tables %}
                case
                    when sums.is_{{ part }}_missing then null
                    else cast(coalesce(sums.{{ part }}, 0) as decimal(18, 2))
                end as {{ part }}
            {%- else %}
                cast(null as decimal(18, 2)) as {{ part }}
            {%- endif %}
            {{- "," if not loop.last }}
        {% endfor %}
    from {{ ref('int_customer_months') }} as months
    left join sums
        on months.customer_id = sums.customer_id and months.month = sums.month
)

select * from customer_contribution_parts
