{{ config(materialized='view') }}
with past as (
    select * from {{ beliefs('ratings') }}
),

present as (
    select
        beliefs.belief_number,
        rated.customer_id,
        rated.month,
        rated.month_end,
        rated.spell_number,
        rated.policy_version,
        rated.is_in_force,
        rated.tier_code,
        rated.tier_rank,
        rated.known_at
    from {{ ref('int_customer_months_rated') }} as rated
    inner join {{ ref('int_beliefs') }} as beliefs
        on beliefs.is_present
    -- Months that decide: see rule 10.
    where rated.is_review and rated.is_complete and rated.rating_amount is not null
),

ratings_believed as (
    select * from past
    union all
    select * from present
)

select * from ratings_believed
