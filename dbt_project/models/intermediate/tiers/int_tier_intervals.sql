-- Each belief's intervals, and when they were believed.
with changes as (
    select
        changes.*,
        coalesce(owned.believed_from, cast('0001-01-01' as timestamp)) as believed_from,
        coalesce(owned.believed_to, cast({{ end_of_time() }} as timestamp)) as believed_to,
        owned.customer_id is not null or changes.moment is not null as may_be_told_again
    from {{ ref('int_tier_changes') }} as changes
    left join {{ ref('int_beliefs_owned') }} as owned
        on
            changes.belief_number = owned.belief_number
            and changes.customer_id = owned.customer_id
),

tier_intervals as (
    select
        belief_number,
        customer_id,
        valid_from,
        lead(valid_from) over by_customer as next_valid_from,
        place,
        previous_rank,
        movement,
        reason,
        greatest(known_at, believed_from) as known_from,
        lead(greatest(known_at, believed_from)) over by_customer as next_known_from,
        believed_from,
        believed_to,
        may_be_told_again,
        moment,
        next_moment
    from changes
    window by_customer as (partition by belief_number, customer_id, moment order by valid_from asc nulls first)
)

select * from tier_intervals
