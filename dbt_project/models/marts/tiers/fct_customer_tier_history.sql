-- Beliefs that follow each other and say the same are one row.
with believed as (
    select
        intervals.*,
        lag(known_to) over (
            partition by
                customer_id, valid_from, valid_to, tier_code, previous_tier_code, movement, reason, policy_version
            order by known_from asc nulls first
        ) as believed_before_to
    from {{ ref('int_tier_intervals_believed') }} as intervals
),

numbered as (
    select
        believed.*,
        sum(case when believed_before_to = known_from then 0 else 1 end) over (
            partition by
                customer_id, valid_from, valid_to, tier_code, previous_tier_code, movement, reason, policy_version
            order by known_from asc nulls first
            rows between unbounded preceding and current row
        ) as stretch
    from believed
),

stretches as (
    select
        customer_id,
        valid_from,
        valid_to,
        min(known_from) as known_from,
        max(known_to) as known_to,
        tier_code,
        previous_tier_code,
        movement,
        reason,
        policy_version
    from numbered
    group by
        customer_id, valid_from, valid_to, tier_code, previous_tier_code, movement, reason, policy_version, stretch
),

fct_customer_tier_history as (
    select
        keys.customer_key,
        stretches.valid_from,
        stretches.valid_to,
        stretches.known_from,
        stretches.known_to,
        stretches.tier_code,
        stretches.previous_tier_code,
        stretches.movement,
        stretches.reason,
        stretches.policy_version
    from stretches
    inner join {{ ref('int_customer_keys') }} as keys
        on stretches.customer_id = keys.customer_id
)

select * from fct_customer_tier_history
