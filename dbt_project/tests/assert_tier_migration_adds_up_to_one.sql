-- Every from-state goes somewhere, whole; and who is in a state after one month is in the next month's from-state.
with states as (
    select
        month,
        from_tier_code,
        from_grace_month,
        sum(probability) as probability,
        sum(customers) as customers,
        max(from_customers) as from_customers
    from {{ ref('fct_tier_migration') }}
    group by month, from_tier_code, from_grace_month
),

arrivals as (
    select
        month,
        to_tier_code,
        sum(customers) as customers
    from {{ ref('fct_tier_migration') }}
    where to_tier_code <> 'exited'
    group by month, to_tier_code
),

departures as (
    select
        month,
        from_tier_code,
        sum(customers) as customers
    from {{ ref('fct_tier_migration') }}
    where from_tier_code <> 'opened'
    group by month, from_tier_code
)

select
    month,
    from_tier_code as tier_code
from states
where probability <> 1 or customers <> from_customers
union all
select
    departures.month,
    departures.from_tier_code as tier_code
from departures
inner join arrivals
    on
        departures.from_tier_code = arrivals.to_tier_code
        and departures.month = cast(arrivals.month + {{ months('1') }} as date)
where departures.customers <> arrivals.customers
