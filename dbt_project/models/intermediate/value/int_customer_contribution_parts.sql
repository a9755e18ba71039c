-- A part whose source the bank does not provide is null (not available), never zero.
{%- set parts = {
    'net_interest_deposits_amount': (exact_quotient('coalesce(deposits.interest_days, 0)', 'customer_months.day_count'), ['finance__ftp_rates']),
    'net_interest_loans_amount': (exact_quotient('coalesce(loans.interest_days, 0)', 'customer_months.day_count'), ['finance__ftp_rates', 'core__loans']),
    'fee_income_amount': ('coalesce(fees.charged_amount, 0)', ['core__fees']),
    'expected_loss_amount': (exact_quotient('coalesce(loans.expected_loss_year_amount, 0)', 12), ['core__loans', 'finance__ftp_rates']),
    'cost_to_serve_full_amount': ('coalesce(costs.full_amount, 0)', ['finance__unit_costs']),
    'cost_to_serve_avoidable_amount': ('coalesce(costs.avoidable_amount, 0)', ['finance__unit_costs']),
    'perks_amount': ('coalesce(perks.cost_amount, 0)', ['crm__programmes']),
    'waived_amount': ('coalesce(fees.waived_amount, 0)', ['core__fees']),
} %}

with customer_months as (
    select
        months.customer_id,
        months.month,
        months.is_partial_month,
        cast(day_count.value as integer) as day_count
    from {{ ref('int_customer_months') }} as months
    inner join {{ ref('int_parameter_spans') }} as day_count
        on
            day_count.parameter = 'interest_day_count'
            and months.month >= day_count.valid_from
            and months.month < day_count.valid_to
),

customer_contribution_parts as (
    select
        customer_months.customer_id,
        customer_months.month,
        customer_months.is_partial_month,
        {% for part, (expression, tables) in parts.items() %}
            cast({{ expression if tables | select('in', var('provided')) | list == tables else 'null' }} as decimal(18, 2)) as {{ part }}
            {{- "," if not loop.last }}
        {% endfor %}
    from customer_months
    left join {{ ref('int_customer_deposit_interest') }} as deposits
        on customer_months.customer_id = deposits.customer_id and customer_months.month = deposits.month
    left join {{ ref('int_customer_loan_interest') }} as loans
        on customer_months.customer_id = loans.customer_id and customer_months.month = loans.month
    left join {{ ref('int_customer_fees') }} as fees
        on customer_months.customer_id = fees.customer_id and customer_months.month = fees.month
    left join {{ ref('int_customer_service_costs') }} as costs
        on customer_months.customer_id = costs.customer_id and customer_months.month = costs.month
    left join {{ ref('int_customer_perks') }} as perks
        on customer_months.customer_id = perks.customer_id and customer_months.month = perks.month
)

select * from customer_contribution_parts
