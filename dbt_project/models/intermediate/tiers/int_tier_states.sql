{{ config(materialized='view') }}
-- What is held after each review that may change it, and the misses that grace has forgiven so far.
with unwalked as (
    select reviews.*
    from {{ ref('int_tier_reviews') }} as reviews
    left join {{ ref('int_tier_spells_walked') }} as walked
        on
            reviews.belief_number = walked.belief_number
            and reviews.customer_id = walked.customer_id
            and reviews.spell_number = walked.spell_number
    where walked.customer_id is null
),

walks as (
    select
        walks.*,
        lag(tier_code) over by_spell as previous_tier_code,
        row_number() over by_spell = 1 as is_first
    from {{ ref('int_tier_walks') }} as walks
    window by_spell as (partition by belief_number, customer_id, spell_number order by step_number asc nulls first)
),

tier_states as (
    select
        belief_number,
        customer_id,
        spell_number,
        month,
        known_at,
        place,
        previous_place,
        previous_place is null as is_first,
        cast(0 as integer) as misses_in_grace,
        cast(0 as integer) as misses_ended
    from unwalked
    union all
    select
        walks.belief_number,
        walks.customer_id,
        walks.spell_number,
        walks.month,
        walks.known_at,
        held.place,
        previous.place as previous_place,
        walks.is_first,
        walks.misses as misses_in_grace,
        walks.misses_ended
    from walks
    inner join {{ ref('int_tier_ladder') }} as held
        on
            walks.policy_version = held.policy_version
            and walks.tier_code = held.tier_code
    left join {{ ref('int_tier_ladder') }} as previous
        on
            walks.policy_version = previous.policy_version
            and walks.previous_tier_code = previous.tier_code
)

select * from tier_states
