{{ config(materialized='view') }}
-- The rated months with all that their place on the ladder says.
with customer_months_rated as (
    select
        placed.*,
        months.month_end,
        months.is_complete,
        months.is_fed,
        months.known_at,
        ladder.tier_code,
        ladder.tier_rank,
        ladder.threshold_amount,
        ladder.near_band_amount,
        ladder.next_threshold_amount,
        ladder.next_near_band_amount,
        versions.private_threshold_amount,
        versions.volatile_to_amount,
        versions.watch_misses
    from {{ ref('int_customer_months_placed') }} as placed
    inner join {{ ref('int_months') }} as months
        on placed.month = months.month
    inner join {{ ref('int_tier_ladder') }} as versions
        on
            placed.policy_version = versions.policy_version
            and versions.tier_rank = 1
    left join {{ ref('int_tier_ladder') }} as ladder
        on placed.place = ladder.place
)

select * from customer_months_rated
