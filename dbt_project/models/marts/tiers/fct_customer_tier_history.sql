with changes as (
    select * from {{ ref('int_tier_changes') }}
),

fct_customer_tier_history as (
    select
        keys.customer_key,
        changes.decided_for as valid_from,
        lead(changes.decided_for, 1, {{ end_of_time() }}) over (
            partition by changes.customer_id
            order by changes.decided_for asc nulls first
        ) as valid_to,
        changes.known_from,
        cast({{ end_of_time() }} as timestamp) as known_to,
        changes.tier_code,
        changes.previous_tier_code,
        case
            when changes.tier_code is null then 'exited'
            when changes.decision_number = 1 then 'opened'
            when changes.previous_tier_code is null then 'won_back'
            when changes.tier_rank > changes.previous_tier_rank then 'up'
            else 'down'
        end as movement,
        case
            when changes.reason <> 'month_rated' then changes.reason
            when changes.decision_number = 1 then 'history_begins'
            when changes.tier_rank > changes.previous_tier_rank then 'rating_reached_threshold'
            else 'rating_below_threshold'
        end as reason,
        changes.policy_version
    from changes
    inner join {{ ref('int_customer_keys') }} as keys
        on changes.customer_id = keys.customer_id
)

select * from fct_customer_tier_history
