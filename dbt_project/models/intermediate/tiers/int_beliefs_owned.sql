-- A customer has intervals of a past belief only where it differs from the next one, which otherwise speaks for both. Customers
-- whom no past belief is about are not here: what is believed of them was never believed otherwise.
with past as (
    select distinct
        changes.belief_number,
        changes.customer_id
    from {{ ref('int_tier_changes') }} as changes
    inner join {{ ref('int_beliefs') }} as beliefs
        on changes.belief_number = beliefs.belief_number
    where not beliefs.is_present
),

owned as (
    select * from past
    union
    select
        beliefs.belief_number,
        past.customer_id
    from past
    cross join {{ ref('int_beliefs') }} as beliefs
    where beliefs.is_present
),

beliefs_owned as (
    select
        owned.belief_number,
        owned.customer_id,
        lag(beliefs.known_to, 1, cast('0001-01-01' as timestamp)) over (
            partition by owned.customer_id
            order by beliefs.belief_number asc nulls first
        ) as believed_from,
        beliefs.known_to as believed_to
    from owned
    inner join {{ ref('int_beliefs') }} as beliefs
        on owned.belief_number = beliefs.belief_number
)

select * from beliefs_owned
