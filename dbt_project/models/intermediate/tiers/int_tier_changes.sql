-- Decisions that begin an interval: none that a later one overtakes before it takes effect, and only those that change the tier.
{%- set decided %}
        belief_number,
        customer_id,
        decided_for,
        place,
        last_rank,
        reason,
        known_at,
        moment,
        next_moment
{%- endset %}

with told_moment_by_moment as (
    select
        decisions.*,
        min(decided_for) over (
            partition by belief_number, customer_id, moment
            order by spell_number asc nulls first, decided_in asc nulls first
            rows between 1 following and unbounded following
        ) as overtaken_on
    from {{ ref('int_tier_decisions_known') }} as decisions
    where moment is not null
),

in_effect as (
    -- Without one that is overtaken, decisions take effect in the order in which they are made.
    select
        {{ decided }},
        decision_number,
        previous_rank
    from {{ ref('int_tier_decisions_known') }}
    where moment is null
    union all
    select
        {{ decided }},
        row_number() over by_customer as decision_number,
        lag(last_rank) over by_customer as previous_rank
    from told_moment_by_moment
    where overtaken_on is null or decided_for < overtaken_on
    window by_customer as (partition by belief_number, customer_id, moment order by decided_for asc nulls first)
),

tier_changes as (
    select
        belief_number,
        customer_id,
        decided_for as valid_from,
        place,
        previous_rank,
        case
            when place is null then 'exited'
            when decision_number = 1 then 'opened'
            when previous_rank is null then 'won_back'
            when last_rank > previous_rank then 'up'
            else 'down'
        end as movement,
        reason,
        known_at,
        moment,
        next_moment
    from in_effect
    where
        -- A customer known only by an exit was never seen in a tier.
        (decision_number = 1 and place is not null)
        or (decision_number > 1 and last_rank is distinct from previous_rank)
)

select * from tier_changes
