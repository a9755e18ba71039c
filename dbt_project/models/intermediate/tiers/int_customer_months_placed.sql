-- One row per customer, month and version of the ladder that may decide it: what is rated, and its place on the ladder. In a
-- month that is not fed there is no rating. Narrow, because the tier history reads all of it.
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
        tier_months.customer_id,
        tier_months.month,
        tier_months.spell_number,
        tier_months.may_decide,
        tier_months.is_partial_month,
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

customer_months_placed as (
    select
        rated.*,
        ladder.place
    from rated
    left join {{ ref('int_tier_ladder') }} as ladder
        on
            rated.policy_version = ladder.policy_version
            and (rated.rating_amount >= ladder.threshold_amount or ladder.tier_rank = 1)
            and (ladder.next_threshold_amount is null or rated.rating_amount < ladder.next_threshold_amount)
            and rated.rating_amount is not null
)

select * from customer_months_placed
