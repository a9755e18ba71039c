-- The active ladder: each tier of each version, with the next tier's threshold and the version's way of rating.
with policies as (
    select
        policies.*,
        coalesce(cast(policies.effective_to as date), {{ end_of_time() }}) as in_force_to,
        case policies.review_calendar when 'quarterly' then 3 when 'half_yearly' then 6 when 'yearly' then 12 else 1 end
            as review_months
    from {{ ref('tier_policies') }} as policies
    where policies.is_active
),

tiers as (
    select
        policies.policy_id,
        policies.policy_version,
        policies.rating_base,
        policies.rating_window,
        policies.rating_divisor,
        policies.rating_scope,
        policies.up_lag_months,
        policies.landing_rule,
        policies.review_months,
        policies.watch_misses,
        policies.effective_from,
        policies.in_force_to as effective_to,
        cast(policies.volatile_to_amount as decimal(18, 2)) as volatile_to_amount,
        thresholds.tier_code,
        thresholds.tier_rank,
        cast(thresholds.threshold_amount as decimal(18, 2)) as threshold_amount,
        -- least() passes over a missing cap, as a ladder without one wants.
        cast(least(
            cast(thresholds.near_band_share as decimal(9, 6)) * cast(thresholds.threshold_amount as decimal(18, 2)),
            cast(thresholds.near_band_max_amount as decimal(18, 2))
        ) as decimal(18, 2)) as near_band_amount,
        -- The miss that loses the tier.
        greatest(thresholds.grace_months, 1) as losing_miss,
        thresholds.is_private_banking
    from policies
    inner join {{ ref('tier_thresholds') }} as thresholds
        on
            policies.policy_id = thresholds.policy_id
            and policies.policy_version = thresholds.policy_version
),

tier_ladder as (
    select
        tiers.*,
        -- One number for a tier of a version, the lowest of a version first.
        cast(row_number() over (
            order by effective_from asc nulls first, policy_version asc nulls first, tier_rank asc nulls first
        ) as integer) as place,
        lead(threshold_amount) over by_rank as next_threshold_amount,
        lead(near_band_amount) over by_rank as next_near_band_amount,
        max(case when is_private_banking then threshold_amount end) over by_version as private_threshold_amount,
        max(losing_miss) over by_version as longest_grace,
        -- Ranks of different versions do not compare; in the last one each tier that any version has has its place.
        first_value(tier_rank) over (partition by policy_id, tier_code order by effective_from desc nulls last) as last_rank
    from tiers
    window
        by_rank as (partition by policy_id, policy_version order by tier_rank asc nulls first),
        by_version as (partition by policy_id, policy_version)
)

select * from tier_ladder
