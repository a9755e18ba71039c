{{ config(materialized='view') }}
-- Months that may decide, as each belief places them (rule 10). Whether one is a review is for the version to say that decides
-- for the customer.
with past as (
    select * from {{ beliefs('ratings') }}
    where belief_number in (select belief_number from {{ ref('int_beliefs') }})
),

present as (
    select
        beliefs.belief_number,
        placed.customer_id,
        placed.spell_number,
        placed.month,
        placed.policy_version,
        placed.is_in_force,
        placed.is_review,
        placed.place,
        months.known_at
    from {{ ref('int_customer_months_placed') }} as placed
    inner join {{ ref('int_months') }} as months
        on placed.month = months.month
    cross join {{ ref('int_beliefs') }} as beliefs
    where beliefs.is_present and placed.may_decide
),

ratings_believed as (
    select * from past
    union all
    select * from present
)

select * from ratings_believed
