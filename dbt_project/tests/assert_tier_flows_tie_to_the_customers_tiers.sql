-- When the business date ends a month, what closes in each tier are the customers whom dim_customers shows in it.
with customers as (
    select
        tier_code,
        count(*) as customers
    from {{ ref('dim_customers') }}
    group by tier_code
)

select
    flows.month,
    flows.tier_code,
    flows.closing_count,
    customers.customers
from {{ ref('fct_tier_flows') }} as flows
inner join {{ ref('int_months') }} as months
    on flows.month = months.month
left join customers
    on flows.tier_code = customers.tier_code
where
    months.month_end = {{ as_of() }}
    and flows.closing_count <> coalesce(customers.customers, 0)
