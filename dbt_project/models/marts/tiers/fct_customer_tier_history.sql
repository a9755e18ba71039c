with intervals as (
    select * from {{ ref('int_tier_intervals_believed') }}
),

-- Beliefs that follow each other and say the same are one row.
told_again as (
    select
        intervals.*,
        lag(known_to) over (
            partition by customer_id, valid_from, valid_to, place, previous_rank, movement, reason
            order by known_from asc nulls first
        ) as believed_before_to
    from intervals
    where may_be_told_again
),

numbered as (
    select
        told_again.*,
        sum(case when believed_before_to = known_from then 0 else 1 end) over (
            partition by customer_id, valid_from, valid_to, place, previous_rank, movement, reason
            order by known_from asc nulls first
            rows between unbounded preceding and current row
        ) as stretch
    from told_again
),

believed as (
    select
        customer_id,
        valid_from,
        valid_to,
        known_from,
        known_to,
        place,
        previous_rank,
        movement,
        reason
    from intervals
    where not may_be_told_again
    union all
    select
        customer_id,
        valid_from,
        valid_to,
        min(known_from) as known_from,
        max(known_to) as known_to,
        place,
        previous_rank,
        movement,
        reason
    from numbered
    group by customer_id, valid_from, valid_to, place, previous_rank, movement, reason, stretch
),

tiers as (
    select distinct
        last_rank,
        tier_code
    from {{ ref('int_tier_ladder') }}
),

fct_customer_tier_history as (
    select
        keys.customer_key,
        believed.valid_from,
        believed.valid_to,
        believed.known_from,
        believed.known_to,
        ladder.tier_code,
        tiers.tier_code as previous_tier_code,
        believed.movement,
        believed.reason,
        ladder.policy_version
    from believed
    inner join {{ ref('int_customer_keys') }} as keys
        on believed.customer_id = keys.customer_id
    left join {{ ref('int_tier_ladder') }} as ladder
        on believed.place = ladder.place
    left join tiers
        on believed.previous_rank = tiers.last_rank
)

select * from fct_customer_tier_history
