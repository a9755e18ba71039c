-- Everything that sets a customer's tier: the start of a spell, a review that changes what is held, an exit.
with spells as (
    select * from {{ ref('int_spells_believed') }}
),

ladder as (
    select * from {{ ref('int_tier_ladder') }}
),

first_month as (
    select min(month) as month from {{ ref('int_months') }}
),

openings as (
    select
        spells.belief_number,
        spells.customer_id,
        spells.spell_number,
        cast(0 as bigint) as review_number,
        spells.spell_from as decided_for,
        ladder.tier_code,
        ladder.last_rank as tier_rank,
        ladder.policy_version,
        spells.opening_reason as reason,
        spells.opening_known_at as known_from
    from spells
    inner join ladder
        on
            ladder.tier_rank = 1
            and spells.spell_from >= ladder.effective_from
            and spells.spell_from < ladder.effective_to
    inner join first_month
        on spells.spell_from >= first_month.month
),

reviews as (
    select
        states.belief_number,
        states.customer_id,
        states.spell_number,
        states.review_number,
        cast(case
            when held.tier_rank < previous.tier_rank then states.month + {{ months('1') }}
            when held.up_lag_months = 0 then states.month_end
            else states.month + {{ months('held.up_lag_months') }}
        end as date) as decided_for,
        held.tier_code,
        held.last_rank as tier_rank,
        held.policy_version,
        case
            when states.review_number = 1 and spells.spell_from < first_month.month then 'history_begins'
            when states.misses_ended > 1 then 'grace_ended'
            when held.tier_rank < previous.tier_rank then 'rating_below_threshold'
            else 'rating_reached_threshold'
        end as reason,
        states.known_at as known_from
    from {{ ref('int_tier_states') }} as states
    inner join spells
        on
            states.belief_number = spells.belief_number
            and states.customer_id = spells.customer_id
            and states.spell_number = spells.spell_number
    cross join first_month
    inner join ladder as held
        on
            states.policy_version = held.policy_version
            and states.held_tier_code = held.tier_code
    left join ladder as previous
        on
            states.policy_version = previous.policy_version
            and states.previous_tier_code = previous.tier_code
    -- The first rating of a spell decides, unless it keeps the lowest tier that the spell began with.
    where
        states.held_tier_code <> states.previous_tier_code
        or (states.review_number = 1 and (held.tier_rank > 1 or spells.spell_from < first_month.month))
),

exits as (
    select
        belief_number,
        customer_id,
        spell_number,
        cast(9223372036854775807 as bigint) as review_number,
        spell_to as decided_for,
        cast(null as varchar) as tier_code,
        cast(null as integer) as tier_rank,
        cast(null as varchar) as policy_version,
        closing_reason as reason,
        closing_known_at as known_from
    from spells
    where spell_to > (select month from first_month)
),

tier_decisions as (
    select * from openings
    union all
    select * from reviews
    union all
    select * from exits
)

select * from tier_decisions
where decided_for <= {{ as_of() }}
