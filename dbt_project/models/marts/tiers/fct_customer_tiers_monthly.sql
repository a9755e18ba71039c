with rated as (
    select * from {{ ref('int_customer_months_rated') }}
),

fct_customer_tiers_monthly as (
    select
        keys.customer_key,
        rated.month,
        rated.policy_version,
        rated.rating_amount,
        rated.tier_code,
        rated.tier_rank,
        rated.tier_code as held_tier_code,
        rated.tier_rank as held_tier_rank,
        rated.next_threshold_amount - rated.rating_amount as next_tier_gap_amount,
        rated.rating_amount >= rated.private_threshold_amount as is_qualified,
        coalesce(rated.rating_amount >= rated.next_threshold_amount - rated.next_near_band_amount, false) as is_near_threshold,
        rated.rating_amount < rated.threshold_amount + rated.near_band_amount as is_at_risk,
        case
            when rated.rating_amount < rated.private_threshold_amount then null
            when rated.rating_amount <= rated.volatile_to_amount then 'volatile'
            when rated.rating_amount > rated.volatile_to_amount then 'stable'
        end as stability_band,
        cast(0 as integer) as misses_in_grace,
        rated.is_partial_month
    from rated
    inner join {{ ref('int_customer_keys') }} as keys
        on rated.customer_id = keys.customer_id
)

select * from fct_customer_tiers_monthly
