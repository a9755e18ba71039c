-- Each belief's intervals, and when they were believed: as open until the change that ends them was known, then as ended
-- (rules 17 to 19).
with changes as (
    select
        changes.*,
        -- What follows in time cannot be known before what it follows on.
        max(known_from) over (
            partition by belief_number, customer_id
            order by valid_from asc nulls first
            rows between unbounded preceding and current row
        ) as known_at
    from {{ ref('int_tier_changes') }} as changes
),

customers as (
    select distinct
        belief_number,
        customer_id
    from changes
),

-- A customer has intervals of a past belief only where it differs from the next one, which otherwise speaks for both.
own_beliefs as (
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
),

intervals as (
    select
        changes.belief_number,
        changes.customer_id,
        changes.valid_from,
        lead(changes.valid_from) over by_customer as next_valid_from,
        changes.tier_code,
        changes.previous_tier_code,
        changes.movement,
        changes.reason,
        changes.policy_version,
        greatest(changes.known_at, own_beliefs.believed_from) as known_from,
        lead(greatest(changes.known_at, own_beliefs.believed_from)) over by_customer as next_known_from,
        own_beliefs.believed_to
    from changes
    inner join own_beliefs
        on
            changes.belief_number = own_beliefs.belief_number
            and changes.customer_id = own_beliefs.customer_id
    window by_customer as (partition by changes.belief_number, changes.customer_id order by changes.valid_from asc nulls first)
),

tier_intervals_believed as (
    select
        belief_number,
        customer_id,
        valid_from,
        {{ end_of_time() }} as valid_to,
        tier_code,
        previous_tier_code,
        movement,
        reason,
        policy_version,
        known_from,
        least(coalesce(next_known_from, believed_to), believed_to) as known_to
    from intervals
    union all
    select
        belief_number,
        customer_id,
        valid_from,
        next_valid_from as valid_to,
        tier_code,
        previous_tier_code,
        movement,
        reason,
        policy_version,
        next_known_from as known_from,
        believed_to as known_to
    from intervals
    where next_valid_from is not null
)

select * from tier_intervals_believed
where known_from < known_to
