with policies as (
    select * from {{ ref('tier_policies') }}
),

thresholds as (
    select * from {{ ref('tier_thresholds') }}
),

dim_tier_policies as (
    select
        policies.policy_id,
        policies.policy_version,
        thresholds.tier_code,
        policies.policy_name_en,
        policies.policy_name_zh,
        policies.is_active,
        thresholds.tier_name_en,
        thresholds.tier_name_zh,
        thresholds.tier_rank,
        thresholds.threshold_amount,
        thresholds.near_band_share,
        thresholds.near_band_max_amount,
        thresholds.grace_months,
        thresholds.is_private_banking,
        policies.rating_base,
        policies.rating_window,
        policies.rating_divisor,
        policies.rating_scope,
        policies.up_lag_months,
        policies.landing_rule,
        policies.review_calendar,
        policies.watch_misses,
        policies.volatile_to_amount,
        policies.effective_from,
        coalesce(cast(policies.effective_to as date), {{ end_of_time() }}) as effective_to,
        policies.approved_by,
        policies.decision_reference,
        policies.source
    from policies
    inner join thresholds
        on
            policies.policy_id = thresholds.policy_id
            and policies.policy_version = thresholds.policy_version
)

select * from dim_tier_policies
