-- A customer has intervals of a past belief only where it differs from the next one, which otherwise speaks for both.
with customers as (
    select distinct
        belief_number,
        customer_id
    from {{ ref('int_tier_changes') }}
),

beliefs_owned as (
    select
        customers.belief_number,
        customers.customer_id,
        lag(beliefs.known_to, 1, cast('0001-01-01' as timestamp)) over (
            partition by customers.customer_id
            order by beliefs.belief_number asc nulls first
        ) as believed_from,
        beliefs.known_to as believed_to
    from customers
    inner join {{ ref('int_beliefs') }} as beliefs
        on customers.belief_number = beliefs.belief_number
)

select * from beliefs_owned
