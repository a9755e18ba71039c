-- Decisions in the order in which they are made, with when each was known. Where a later one overtakes another that was
-- believed until then, the customer's decisions are told for each moment at which one more became known.
with ordered as (
    select
        decisions.*,
        -- What follows cannot be known before what it follows on.
        max(known_from) over (
            partition by belief_number, customer_id
            order by spell_number asc nulls first, decided_in asc nulls first
            rows between unbounded preceding and current row
        ) as known_at,
        -- If any decision is overtaken, one is by the very next.
        decided_for >= lead(decided_for) over by_customer as is_overtaken,
        row_number() over by_customer as decision_number,
        lag(last_rank) over by_customer as previous_rank
    from {{ ref('int_tier_decisions') }} as decisions
    window by_customer as (
        partition by belief_number, customer_id order by spell_number asc nulls first, decided_in asc nulls first
    )
),

overtaken as (
    select distinct
        belief_number,
        customer_id
    from ordered
    where is_overtaken
),

times_known as (
    select distinct
        ordered.belief_number,
        ordered.customer_id,
        ordered.known_at
    from ordered
    inner join overtaken
        on
            ordered.belief_number = overtaken.belief_number
            and ordered.customer_id = overtaken.customer_id
),

moments as (
    select
        belief_number,
        customer_id,
        known_at as moment,
        lead(known_at) over (partition by belief_number, customer_id order by known_at asc nulls first) as next_moment
    from times_known
),

tier_decisions_known as (
    select
        ordered.*,
        moments.moment,
        moments.next_moment
    from ordered
    left join moments
        on
            ordered.belief_number = moments.belief_number
            and ordered.customer_id = moments.customer_id
            and ordered.known_at <= moments.moment
)

select * from tier_decisions_known
