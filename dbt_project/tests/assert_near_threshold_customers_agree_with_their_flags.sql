-- Who is listed below or above a threshold is who the month's rating flags, unless gone by the month's end; each flag has its row.
with near as (
    select * from {{ ref('fct_near_threshold_customers') }}
),

flagged as (
    select
        customer_key,
        month,
        'below' as side
    from {{ ref('fct_customer_tiers_monthly') }}
    where is_near_threshold
    union all
    select
        customer_key,
        month,
        'above' as side
    from {{ ref('fct_customer_tiers_monthly') }}
    where is_at_risk
)

select
    coalesce(near.customer_key, flagged.customer_key) as customer_key,
    coalesce(near.month, flagged.month) as month
from near
full outer join flagged
    on
        near.customer_key = flagged.customer_key
        and near.month = flagged.month
        and near.side = flagged.side
left join {{ ref('int_months') }} as months
    on flagged.month = months.month
left join {{ ref('fct_customer_tier_history') }} as history
    on
        flagged.customer_key = history.customer_key
        and months.month_end >= history.valid_from
        and months.month_end < history.valid_to
        and history.movement = 'exited'
        and history.known_to = cast({{ end_of_time() }} as timestamp)
where
    flagged.customer_key is null
    or (near.customer_key is null and history.customer_key is null)
