-- A customer who returns gets a new opening date: each opening date ever delivered begins a spell.
with customers as (
    select * from {{ ref('stg_core__customers') }}
    where customer_type = 'personal' and onboarded_on <= {{ as_of() }}
),

openings as (
    select
        customer_id,
        onboarded_on as spell_from,
        min(received_at) as opening_known_at
    from customers
    group by customer_id, onboarded_on
),

closings as (
    select
        customer_id,
        onboarded_on,
        min(closed_on) as closed_on,
        min(received_at) as closing_known_at
    from customers
    where closed_on <= {{ as_of() }}
    group by customer_id, onboarded_on
),

customer_spells as (
    select
        openings.customer_id,
        row_number() over by_customer as spell_number,
        openings.spell_from,
        -- Closed and back between two deliveries: the return ends the spell before.
        coalesce(closings.closed_on, lead(openings.spell_from) over by_customer, {{ end_of_time() }}) as spell_to,
        openings.opening_known_at,
        coalesce(closings.closing_known_at, lead(openings.opening_known_at) over by_customer) as closing_known_at
    from openings
    left join closings
        on
            openings.customer_id = closings.customer_id
            and openings.spell_from = closings.onboarded_on
    window by_customer as (partition by openings.customer_id order by openings.spell_from asc nulls first)
)

select * from customer_spells
