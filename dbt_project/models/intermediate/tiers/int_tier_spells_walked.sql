-- Spells that have to be walked through review by review: those in which a rating below the held tier may be forgiven, or in
-- which another version took over. Elsewhere each review's rating is what is held.
select distinct
    reviews.belief_number,
    reviews.customer_id,
    reviews.spell_number
from {{ ref('int_tier_reviews') }} as reviews
inner join {{ ref('int_tier_ladder') }} as placed
    on reviews.place = placed.place
inner join {{ ref('int_tier_ladder') }} as previous
    on reviews.previous_place = previous.place
where
    (placed.tier_rank < previous.tier_rank or placed.policy_version <> previous.policy_version)
    and exists (
        select 1 from {{ ref('int_tier_ladder') }} as ladder
        where ladder.longest_grace > 1
    )
