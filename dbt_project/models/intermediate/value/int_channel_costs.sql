-- What the work for a customer cost, by activity, channel and branch; null where it has no unit cost.
with costs as (
    select * from {{ ref('stg_finance__unit_costs') }}
    where business_date = (select max(business_date) from {{ ref('stg_finance__unit_costs') }})
),

channel_costs as (
    select
        activities.*,
        activities.units * costs.full_unit_cost as full_amount,
        activities.units * costs.avoidable_unit_cost as avoidable_amount
    from {{ ref('int_customer_activities') }} as activities
    left join costs
        on
            activities.activity = costs.activity
            and activities.channel = costs.channel
            and activities.month = costs.month
)

select * from channel_costs
