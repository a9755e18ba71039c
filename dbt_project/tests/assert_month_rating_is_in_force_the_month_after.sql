-- The history and the monthly marts tell one story: the tier that a month's review left a customer holding is in force once the
-- policy's lag is over, unless a later decision came first.
with held as (
    select
        monthly.customer_key,
        monthly.month,
        monthly.held_tier_code,
        cast(monthly.month + {{ months('greatest(policies.up_lag_months, 1)') }} as date) as in_force_on,
        lead(monthly.held_tier_code) over (
            partition by monthly.customer_key
            order by monthly.month asc nulls first
        ) as next_held_tier_code
    from {{ ref('fct_customer_tiers_monthly') }} as monthly
    inner join {{ ref('dim_tier_policies') }} as policies
        on
            monthly.policy_version = policies.policy_version
            and monthly.held_tier_code = policies.tier_code
    inner join {{ ref('int_months') }} as months
        on monthly.month = months.month
    where months.is_complete
),

history as (
    select * from {{ ref('fct_customer_tier_history') }}
    where known_to = cast({{ end_of_time() }} as timestamp)
)

select
    held.customer_key,
    held.month,
    held.held_tier_code,
    history.tier_code as tier_in_force
from held
inner join history
    on
        held.customer_key = history.customer_key
        and held.in_force_on >= history.valid_from
        and held.in_force_on < history.valid_to
where
    held.in_force_on <= {{ as_of() }}
    and history.tier_code is distinct from held.held_tier_code
    -- Gone, or gone and back and not rated yet; or overtaken by the next month's review.
    and history.movement not in ('exited', 'won_back')
    and not (history.movement = 'opened' and history.valid_from = held.in_force_on)
    and history.tier_code is distinct from held.next_held_tier_code
