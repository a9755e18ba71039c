{{ config(materialized='view') }}
-- The reviews that change what is held, and from which day on. The first rating of a spell decides, unless it keeps the lowest
-- tier that the spell began with.
-- Customers since before the warehouse's first month: they have no tier before their first rating.
with older as (
    select
        belief_number,
        customer_id,
        spell_number
    from {{ ref('int_spells_believed') }}
    where spell_from < (select min(month) from {{ ref('int_months') }})
),

states as (
    select
        states.*,
        months.month_end,
        held.tier_rank,
        held.last_rank,
        held.up_lag_months,
        held.tier_rank < previous.tier_rank as is_down
    from {{ ref('int_tier_states') }} as states
    inner join {{ ref('int_months') }} as months
        on states.month = months.month
    inner join {{ ref('int_tier_ladder') }} as held
        on states.place = held.place
    left join {{ ref('int_tier_ladder') }} as before
        on states.previous_place = before.place
    -- As the version that decides ranks what was held.
    left join {{ ref('int_tier_ladder') }} as previous
        on
            held.policy_version = previous.policy_version
            and before.tier_code = previous.tier_code
    where states.is_first or held.tier_code <> before.tier_code
),

tier_reviews_decided as (
    select
        states.belief_number,
        states.customer_id,
        states.spell_number,
        states.month as decided_in,
        cast(case
            when states.is_down then states.month + {{ months('1') }}
            when states.up_lag_months = 0 then states.month_end
            else states.month + {{ months('states.up_lag_months') }}
        end as date) as decided_for,
        states.place,
        states.last_rank,
        case
            when states.is_first and older.customer_id is not null then 'history_begins'
            when states.misses_ended > 1 then 'grace_ended'
            when states.is_down then 'rating_below_threshold'
            else 'rating_reached_threshold'
        end as reason,
        states.known_at as known_from
    from states
    left join older
        on
            states.belief_number = older.belief_number
            and states.customer_id = older.customer_id
            and states.spell_number = older.spell_number
    where not states.is_first or states.tier_rank > 1 or older.customer_id is not null
)

select * from tier_reviews_decided
