-- The rated months of the spells to be walked through, in order, as each version of the ladder places them.
select
    ratings.belief_number,
    ratings.customer_id,
    ratings.spell_number,
    dense_rank() over (
        partition by ratings.belief_number, ratings.customer_id, ratings.spell_number
        order by ratings.month asc nulls first
    ) as step_number,
    ratings.month,
    ratings.known_at,
    ratings.policy_version,
    ratings.is_in_force,
    ratings.is_review,
    ladder.tier_code,
    ladder.tier_rank
from {{ ref('int_ratings_believed') }} as ratings
inner join {{ ref('int_tier_spells_walked') }} as walked
    on
        ratings.belief_number = walked.belief_number
        and ratings.customer_id = walked.customer_id
        and ratings.spell_number = walked.spell_number
inner join {{ ref('int_tier_ladder') }} as ladder
    on ratings.place = ladder.place
