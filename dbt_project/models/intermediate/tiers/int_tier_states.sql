{{ config(materialized='view') }}
-- What is held after each review, and the misses that grace has forgiven so far.
with reviews as (
    select * from {{ ref('int_tier_reviews') }}
    where is_review and not is_walked
),

walks as (
    select
        walks.*,
        row_number() over by_spell as review_number,
        lag(tier_code) over by_spell as previous_tier_code
    from {{ ref('int_tier_walks') }} as walks
    window by_spell as (partition by belief_number, customer_id, spell_number order by step_number asc nulls first)
),

tier_states as (
    select
        belief_number,
        customer_id,
        spell_number,
        review_number,
        month,
        month_end,
        known_at,
        policy_version,
        tier_code as held_tier_code,
        previous_tier_code,
        cast(0 as integer) as misses_in_grace,
        cast(0 as integer) as misses_ended
    from reviews
    union all
    select
        belief_number,
        customer_id,
        spell_number,
        review_number,
        month,
        month_end,
        known_at,
        policy_version,
        tier_code as held_tier_code,
        previous_tier_code,
        misses as misses_in_grace,
        misses_ended
    from walks
)

select * from tier_states
