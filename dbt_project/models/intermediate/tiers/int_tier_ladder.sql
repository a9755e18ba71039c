-- The active ladder: each tier with its thresholds and the next tier's.
with policies as (
    select * from {{ ref('tier_policies') }}
    where is_active
),

thresholds as (
    select * from {{ ref('tier_thresholds') }}
),

tiers as (
    select
        policies.policy_id,
        policies.policy_version,
        policies.effective_from,
        coalesce(cast(policies.effective_to as date), {{ end_of_time() }}) as effective_to,
        policies.up_lag_months,
        cast(policies.volatile_to_amount as decimal(18, 2)) as volatile_to_amount,
        thresholds.tier_code,
        thresholds.tier_rank,
        cast(thresholds.threshold_amount as decimal(18, 2)) as threshold_amount,
        -- least() passes over a missing cap, as a ladder without one wants.
        cast(least(
            cast(thresholds.near_band_share as decimal(9, 6)) * cast(thresholds.threshold_amount as decimal(18, 2)),
            cast(thresholds.near_band_max_amount as decimal(18, 2))
        ) as decimal(18, 2)) as near_band_amount,
        thresholds.is_private_banking
    from policies
    inner join thresholds
        on
            policies.policy_id = thresholds.policy_id
            and policies.policy_version = thresholds.policy_version
),

tier_ladder as (
    select
        tiers.*,
        lead(threshold_amount) over by_rank as next_threshold_amount,
        lead(near_band_amount) over by_rank as next_near_band_amount,
        max(case when is_private_banking then threshold_amount end) over (partition by policy_id, policy_version)
            as private_threshold_amount
    from tiers
    window by_rank as (partition by policy_id, policy_version order by tier_rank asc nulls first)
)

select * from tier_ladder
