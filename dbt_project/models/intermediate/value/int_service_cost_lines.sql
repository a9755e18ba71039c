-- What the work for a customer cost, by branch; unknown where any of it has no unit cost.
with service_cost_lines as (
    select
        customer_id,
        month,
        branch_id,
        '{{ var("reporting_currency") }}' as currency_code,
        bool_or(full_amount is null) as is_full_missing,
        bool_or(avoidable_amount is null) as is_avoidable_missing,
        cast(coalesce(sum(full_amount), 0) as decimal(18, 6)) as full_amount,
        cast(coalesce(sum(avoidable_amount), 0) as decimal(18, 6)) as avoidable_amount
    from {{ ref('int_channel_costs') }}
    group by customer_id, month, branch_id
)

select * from service_cost_lines
