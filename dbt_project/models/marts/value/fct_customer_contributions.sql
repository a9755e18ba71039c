{%- set not_provided = ['core__fees', 'core__loans', 'crm__programmes', 'finance__ftp_rates', 'finance__unit_costs'] | reject('in', var('provided')) | list -%}
with parts as (
    select
        parts.*,
        {{ contribution_at('full') }} as contribution_full_amount,
        {{ contribution_at('avoidable') }} as contribution_avoidable_amount,
        waived_amount + perks_amount as concession_amount
    from {{ ref('int_customer_contribution_parts') }} as parts
),

policy as (
    select
        value as over_service_max_ratio,
        valid_from,
        valid_to
    from {{ ref('int_parameter_spans') }}
    where parameter = 'over_service_max_ratio'
),

-- The few customer-months of which an input is missing.
gaps as (
    select
        customer_id,
        month,
        string_agg(distinct input || ': ' || subject, '; ' order by input || ': ' || subject asc nulls first) as reason
    from {{ ref('int_contribution_gaps') }}
    group by customer_id, month
),

fct_customer_contributions as (
    select
        keys.customer_key,
        parts.month,
        parts.net_interest_deposits_amount,
        parts.net_interest_loans_amount,
        parts.fee_income_amount,
        parts.expected_loss_amount,
        parts.cost_to_serve_full_amount,
        parts.cost_to_serve_avoidable_amount,
        parts.perks_amount,
        parts.contribution_full_amount,
        parts.contribution_avoidable_amount,
        case
            when parts.contribution_avoidable_amount is not null
                then rank() over (
                    partition by parts.month
                    order by parts.contribution_avoidable_amount desc nulls last
                )
        end as contribution_rank,
        case
            when parts.contribution_avoidable_amount > 0
                then {{ exact_ratio('parts.concession_amount', 'parts.contribution_avoidable_amount') }}
        end as over_service_ratio,
        case
            when parts.contribution_avoidable_amount is null then null
            when parts.contribution_avoidable_amount <= 0 then parts.concession_amount > 0
            -- Wide: of two numbers of 18 digits the product may overflow.
            else parts.concession_amount > policy.over_service_max_ratio * cast(parts.contribution_avoidable_amount as decimal(24, 2))
        end as is_over_served,
        parts.is_partial_month,
        {{ "'not provided: " ~ not_provided | join(", ") ~ "' || coalesce('; ' || gaps.reason, '')" if not_provided else "gaps.reason" }}
            as unavailable_reason
    from parts
    inner join {{ ref('int_customer_keys') }} as keys
        on parts.customer_id = keys.customer_id
    left join gaps
        on parts.customer_id = gaps.customer_id and parts.month = gaps.month
    inner join policy
        on parts.month >= policy.valid_from and parts.month < policy.valid_to
)

select * from fct_customer_contributions
