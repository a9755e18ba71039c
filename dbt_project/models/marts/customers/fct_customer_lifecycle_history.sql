-- One state on any day. The rules, in their order, stand on int_lifecycle_months_decided; a prospect becomes a customer by the day of
-- the opening, a closing makes lost and a return won_back (more than policy relationship_gap_days later) by their days.
with states as (
    select
        *,
        lag(state) over (partition by customer_id order by valid_from asc nulls first) as previous_state
    from {{ ref('int_lifecycle_states') }}
),

changes as (
    select
        customer_id,
        valid_from,
        lead(valid_from, 1, {{ end_of_time() }}) over (partition by customer_id order by valid_from asc nulls first) as valid_to,
        state,
        previous_state,
        reason,
        relationship_number
    from states
    where state is distinct from previous_state
),

fct_customer_lifecycle_history as (
    select
        keys.customer_key,
        changes.valid_from,
        changes.valid_to,
        changes.state,
        changes.previous_state,
        changes.reason,
        changes.relationship_number
    from changes
    inner join {{ ref('int_customer_keys') }} as keys
        on changes.customer_id = keys.customer_id
)

select * from fct_customer_lifecycle_history
