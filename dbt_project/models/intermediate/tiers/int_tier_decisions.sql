{{ config(materialized='view') }}
-- Everything that sets a customer's tier: the start of a spell, a review that changes what is held, an exit. `decided_in` puts
-- those of a spell in order.
with spells as (
    select * from {{ ref('int_spells_believed') }}
),

first_month as (
    select min(month) as month from {{ ref('int_months') }}
),

openings as (
    select
        spells.belief_number,
        spells.customer_id,
        spells.spell_number,
        cast('0001-01-01' as date) as decided_in,
        spells.spell_from as decided_for,
        ladder.place,
        ladder.last_rank,
        spells.opening_reason as reason,
        spells.opening_known_at as known_from
    from spells
    inner join {{ ref('int_tier_ladder') }} as ladder
        on
            ladder.tier_rank = 1
            and spells.spell_from >= ladder.effective_from
            and spells.spell_from < ladder.effective_to
    inner join first_month
        on spells.spell_from >= first_month.month
),

exits as (
    select
        belief_number,
        customer_id,
        spell_number,
        {{ end_of_time() }} as decided_in,
        spell_to as decided_for,
        cast(null as integer) as place,
        cast(null as integer) as last_rank,
        closing_reason as reason,
        closing_known_at as known_from
    from spells
    where spell_to > (select month from first_month)
),

tier_decisions as (
    select * from openings
    union all
    select * from {{ ref('int_tier_reviews_decided') }}
    union all
    select * from exits
)

select * from tier_decisions
where decided_for <= {{ as_of() }}
