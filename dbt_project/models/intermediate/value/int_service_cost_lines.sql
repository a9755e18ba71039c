-- What the work for a customer cost, by branch; unknown where any of it has no unit cost.
with costs as (
    select * from {{ ref('stg_finance__unit_costs') }}
    where business_date = (select max(business_date) from {{ ref('stg_finance__unit_costs') }})
),

service_cost_lines as (
    select
        activities.customer_id,
        activities.month,
        activities.branch_id,
        '{{ var("reporting_currency") }}' as currency_code,
        bool_or(costs.full_unit_cost is null) as is_full_missing,
        bool_or(costs.avoidable_unit_cost is null) as is_avoidable_missing,
        cast(coalesce(sum(activities.units * costs.full_unit_cost), 0) as decimal(18, 6)) as full_amount,
        cast(coalesce(sum(activities.units * costs.avoidable_unit_cost), 0) as decimal(18, 6)) as avoidable_amount
    from {{ ref('int_customer_activities') }} as activities
    left join costs
        on
            activities.activity = costs.activity
            and activities.channel = costs.channel
            and activities.month = costs.month
    group by activities.customer_id, activities.month, activities.branch_id
)

select * from service_cost_lines
