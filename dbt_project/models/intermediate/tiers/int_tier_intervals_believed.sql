-- Each belief's intervals, and when they were believed: as open until the change that ends them was known, then as ended
-- (rules 17 to 19).
with changes as (
    select * from {{ ref('int_tier_changes') }}
),

own_beliefs as (
    select * from {{ ref('int_beliefs_owned') }}
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
        own_beliefs.believed_from,
        own_beliefs.believed_to,
        changes.moment,
        changes.next_moment
    from changes
    inner join own_beliefs
        on
            changes.belief_number = own_beliefs.belief_number
            and changes.customer_id = own_beliefs.customer_id
    window by_customer as (
        partition by changes.belief_number, changes.customer_id, changes.moment order by changes.valid_from asc nulls first
    )
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
    where moment is null
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
    where next_valid_from is not null and moment is null
    union all
    -- Told moment by moment.
    select
        belief_number,
        customer_id,
        valid_from,
        coalesce(next_valid_from, {{ end_of_time() }}) as valid_to,
        tier_code,
        previous_tier_code,
        movement,
        reason,
        policy_version,
        greatest(moment, believed_from) as known_from,
        least(coalesce(next_moment, believed_to), believed_to) as known_to
    from intervals
    where moment is not null
)

select * from tier_intervals_believed
where known_from < known_to
