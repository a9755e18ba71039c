-- Decisions that begin an interval: none that a later one overtakes before it takes effect, and only those that change the tier.
with ordered as (
    select
        decisions.*,
        min(decided_for) over (
            partition by belief_number, customer_id, moment
            order by spell_number asc nulls first, review_number asc nulls first
            rows between 1 following and unbounded following
        ) as overtaken_on
    from {{ ref('int_tier_decisions_known') }} as decisions
),

in_effect as (
    select
        ordered.*,
        row_number() over by_customer as decision_number,
        lag(tier_code) over by_customer as previous_tier_code,
        lag(tier_rank) over by_customer as previous_tier_rank
    from ordered
    where overtaken_on is null or decided_for < overtaken_on
    window by_customer as (partition by belief_number, customer_id, moment order by decided_for asc nulls first)
),

tier_changes as (
    select
        belief_number,
        customer_id,
        decided_for as valid_from,
        tier_code,
        previous_tier_code,
        case
            when tier_code is null then 'exited'
            when decision_number = 1 then 'opened'
            when previous_tier_code is null then 'won_back'
            when tier_rank > previous_tier_rank then 'up'
            else 'down'
        end as movement,
        reason,
        policy_version,
        known_at,
        moment,
        next_moment
    from in_effect
    where
        -- A customer known only by an exit was never seen in a tier.
        (decision_number = 1 and tier_code is not null)
        or (decision_number > 1 and tier_code is distinct from previous_tier_code)
)

select * from tier_changes
