-- One row per customer, month and version of the ladder that may decide it; in a month that is not fed there is no rating.
with versions as (
    select distinct
        month,
        policy_version,
        is_in_force,
        is_review
    from {{ ref('int_rating_windows') }}
),

rated as (
    select
        tier_months.*,
        versions.policy_version,
        versions.is_in_force,
        versions.is_review,
        case
            when tier_months.is_fed then cast(coalesce(ratings.rating_amount, 0) as decimal(18, 2))
        end as rating_amount
    from {{ ref('int_tier_months') }} as tier_months
    inner join versions
        on tier_months.month = versions.month
    left join {{ ref('int_customer_ratings') }} as ratings
        on
            tier_months.customer_id = ratings.customer_id
            and versions.month = ratings.month
            and versions.policy_version = ratings.policy_version
),

customer_months_rated as (
    select
        rated.*,
        ladder.tier_code,
        ladder.tier_rank,
        ladder.threshold_amount,
        ladder.near_band_amount,
        ladder.next_threshold_amount,
        ladder.next_near_band_amount,
        ladder.private_threshold_amount,
        ladder.volatile_to_amount,
        ladder.watch_misses
    from rated
    left join {{ ref('int_tier_ladder') }} as ladder
        on
            rated.policy_version = ladder.policy_version
            and (rated.rating_amount >= ladder.threshold_amount or ladder.tier_rank = 1)
            and (ladder.next_threshold_amount is null or rated.rating_amount < ladder.next_threshold_amount)
            and rated.rating_amount is not null
)

select * from customer_months_rated
