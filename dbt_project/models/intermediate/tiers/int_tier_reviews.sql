-- The rated months of each spell in order, and which of them are reviews, by the version in force. A spell has to be walked through review by review only where a
-- rating below the held tier may be forgiven; elsewhere each review's rating is what is held.
with grace as (
    select max(longest_grace) > 1 as forgives
    from {{ ref('int_tier_ladder') }}
),

reviews as (
    select
        ratings.belief_number,
        ratings.customer_id,
        ratings.spell_number,
        ratings.month,
        ratings.month_end,
        ratings.policy_version,
        ratings.tier_code,
        ratings.tier_rank,
        ratings.known_at,
        ratings.is_review,
        row_number() over by_spell as review_number,
        lag(ratings.tier_code) over by_spell as previous_tier_code,
        ratings.tier_rank < lag(ratings.tier_rank) over by_spell
        or ratings.policy_version <> lag(ratings.policy_version) over by_spell as is_lower
    from {{ ref('int_ratings_believed') }} as ratings
    inner join {{ ref('int_spells_believed') }} as spells
        on
            ratings.belief_number = spells.belief_number
            and ratings.customer_id = spells.customer_id
            and ratings.spell_number = spells.spell_number
            and ratings.month_end >= spells.spell_from
            and ratings.month_end < spells.spell_to
    where ratings.is_in_force
    window by_spell as (
        partition by ratings.belief_number, ratings.customer_id, ratings.spell_number, ratings.is_review
        order by ratings.month asc nulls first
    )
),

walked as (
    select distinct
        belief_number,
        customer_id,
        spell_number
    from reviews
    where is_review and is_lower and (select forgives from grace)
),

tier_reviews as (
    select
        reviews.*,
        row_number() over (
            partition by reviews.belief_number, reviews.customer_id, reviews.spell_number
            order by reviews.month asc nulls first
        ) as step_number,
        walked.customer_id is not null as is_walked
    from reviews
    left join walked
        on
            reviews.belief_number = walked.belief_number
            and reviews.customer_id = walked.customer_id
            and reviews.spell_number = walked.spell_number
)

select * from tier_reviews
