-- The tier in force from day to day, as it is believed now.
with intervals as (
    select * from {{ ref('int_tier_intervals_believed') }}
    where known_to = cast({{ end_of_time() }} as timestamp)
),

customer_tiers_dated as (
    select
        intervals.customer_id,
        ladder.tier_code,
        intervals.valid_from,
        intervals.valid_to
    from intervals
    left join {{ ref('int_tier_ladder') }} as ladder
        on intervals.place = ladder.place
)

select * from customer_tiers_dated
