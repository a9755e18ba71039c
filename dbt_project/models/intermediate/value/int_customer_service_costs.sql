with costs as (
    select * from {{ ref('stg_finance__unit_costs') }}
    where business_date = (select max(business_date) from {{ ref('stg_finance__unit_costs') }})
),

customer_service_costs as (
    select
        activities.customer_id,
        activities.month,
        sum(activities.units * costs.full_unit_cost) as full_amount,
        sum(activities.units * costs.avoidable_unit_cost) as avoidable_amount
    from {{ ref('int_customer_activities') }} as activities
    inner join costs
        on
            activities.activity = costs.activity
            and activities.channel = costs.channel
            and activities.month = costs.month
    group by activities.customer_id, activities.month
)

select * from customer_service_costs
