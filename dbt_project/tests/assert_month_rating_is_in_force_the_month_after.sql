-- The history and the monthly marts tell one story: on the first day a month's rating is in force, the history has its tier.
with rated as (
    select
        monthly.customer_key,
        monthly.month,
        monthly.tier_code,
        cast(monthly.month + {{ months('policies.up_lag_months') }} as date) as in_force_on
    from {{ ref('fct_customer_tiers_monthly') }} as monthly
    inner join {{ ref('dim_tier_policies') }} as policies
        on
            monthly.policy_version = policies.policy_version
            and monthly.tier_code = policies.tier_code
),

history as (
    select * from {{ ref('fct_customer_tier_history') }}
)

select
    rated.customer_key,
    rated.month,
    rated.tier_code,
    history.tier_code as tier_in_force
from rated
inner join history
    on
        rated.customer_key = history.customer_key
        and rated.in_force_on >= history.valid_from
        and rated.in_force_on < history.valid_to
where
    rated.in_force_on <= {{ as_of() }}
    and history.tier_code is distinct from rated.tier_code
    -- Gone, or gone and back and not rated yet.
    and history.movement not in ('exited', 'won_back')
    and not (history.movement = 'opened' and history.valid_from = rated.in_force_on)
