-- A customer who returns gets a new opening date: each opening date ever delivered begins a spell. So does the delivery that takes a
-- closing back: what was reported of the time in between stands, and the customer counts again from that day on.
with stated as (
    select
        customer_id,
        onboarded_on,
        business_date,
        received_at,
        case when closed_on <= {{ as_of() }} then closed_on end as ended_on
    from {{ ref('stg_core__customers') }}
    where customer_type = 'personal' and onboarded_on <= {{ as_of() }}
),

-- Few ever close: only theirs are put in order.
closed as (
    select distinct customer_id from stated
    where ended_on is not null
),

compared as (
    select
        stated.*,
        lag(ended_on) over (partition by stated.customer_id, onboarded_on order by business_date asc nulls first) as ended_before
    from stated
    inner join closed on stated.customer_id = closed.customer_id
),

parted as (
    select
        *,
        sum(case when ended_on is null and ended_before is not null then 1 else 0 end)
            over (partition by customer_id, onboarded_on order by business_date asc nulls first) as part
    from compared
),

said as (
    select
        *,
        first_value(ended_on) over (
            partition by customer_id, onboarded_on, part order by ended_on is null asc nulls last, business_date desc nulls last
        ) as last_ended_on
    from parted
),

spells as (
    select
        customer_id,
        case when part = 0 then onboarded_on else min(business_date) end as spell_from,
        last_ended_on as ended_on,
        min(received_at) as opening_known_at,
        min(case when ended_on is not null then received_at end) as closing_known_at
    from said
    group by customer_id, onboarded_on, part, last_ended_on -- taken back, then said again of an earlier day: never taken back
    having part = 0 or coalesce(last_ended_on, {{ end_of_time() }}) > min(business_date)
    union all
    select
        customer_id,
        onboarded_on as spell_from,
        cast(null as date) as ended_on,
        min(received_at) as opening_known_at,
        cast(null as timestamp) as closing_known_at
    from stated
    where customer_id not in (select customer_id from closed)
    group by customer_id, onboarded_on
),

customer_spells as (
    select
        customer_id,
        row_number() over by_customer as spell_number,
        spell_from,
        -- Closed and back between two deliveries: the return ends the spell before.
        coalesce(ended_on, lead(spell_from) over by_customer, {{ end_of_time() }}) as spell_to,
        opening_known_at,
        coalesce(closing_known_at, lead(opening_known_at) over by_customer) as closing_known_at
    from spells
    window by_customer as (partition by customer_id order by spell_from asc nulls first)
)

select * from customer_spells
