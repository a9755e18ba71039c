-- A part whose source the bank does not provide is null (not available), and so is one of which an input is missing in
-- the month: never zero. The lines are those of int_customer_contribution_lines, added up before they meet.
{%- set parts = {
    'net_interest_deposits_amount': ('deposits', 'reporting_income_amount - reporting_interest_amount', 'is_price_missing or is_rate_missing', ['finance__ftp_rates']),
    'net_interest_loans_amount': ('loans', 'reporting_interest_amount - reporting_charge_amount', 'is_price_missing or is_rate_missing', ['finance__ftp_rates', 'core__loans']),
    'fee_income_amount': ('fees', 'reporting_charged_amount', 'false', ['core__fees']),
    'expected_loss_amount': ('loans', 'reporting_loss_amount', 'is_default_missing or is_loss_missing', ['core__loans', 'finance__ftp_rates']),
    'cost_to_serve_full_amount': ('costs', 'full_amount', 'is_full_missing', ['finance__unit_costs']),
    'cost_to_serve_avoidable_amount': ('costs', 'avoidable_amount', 'is_avoidable_missing', ['finance__unit_costs']),
    'perks_amount': ('perks', 'cost_amount', 'false', ['crm__programmes']),
    'waived_amount': ('fees', 'reporting_waived_amount', 'false', ['core__fees']),
} %}
{%- set sources = {
    'deposits': ref('int_deposit_interest_lines'),
    'loans': ref('int_loan_interest_lines'),
    'fees': ref('int_fee_lines'),
    'costs': ref('int_service_cost_lines'),
    'perks': ref('int_perk_lines'),
} %}

with {% for source, lines in sources.items() %}
{{ source }} as (
    select
        customer_id,
        month
        {%- for part, (from_source, amount, missing, _) in parts.items() if from_source == source %},
        case when not bool_or({{ missing }}) then cast(sum({{ amount }}) as decimal(18, 6)) end as {{ part }}
        {%- endfor %},
        true as is_there
    from {{ lines }}
    group by customer_id, month
),
{% endfor %}
customer_contribution_parts as (
    select
        months.customer_id,
        months.month,
        months.is_partial_month,
        {% for part, (source, _, _, tables) in parts.items() %}
            {% if tables | select('in', var('provided')) | list == tables %}
                cast(case when {{ source }}.is_there then {{ source }}.{{ part }} else 0 end as decimal(18, 2)) as {{ part }}
            {%- else %}
                cast(null as decimal(18, 2)) as {{ part }}
            {%- endif %}
            {{- "," if not loop.last }}
        {% endfor %}
    from {{ ref('int_customer_months') }} as months
    {% for source in sources %}
    left join {{ source }}
        on months.customer_id = {{ source }}.customer_id and months.month = {{ source }}.month
    {% endfor %}
)

select * from customer_contribution_parts
