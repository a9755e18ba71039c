-- What a holding's units were worth when last seen with any in a month. One of which nothing new came in the month is worth what it
-- was at the month's beginning.
with priced as (
    select
        position_id,
        currency_code,
        {{ month_start('valid_from') }} as month,
        observed_amount,
        units,
        row_number() over (
            partition by position_id, currency_code, {{ month_start('valid_from') }}
            order by valid_from desc nulls last
        ) as recency
    from {{ ref('int_position_day_spans') }}
    where position_kind = 'holding' and units > 0
),

last_priced as (
    select * from priced
    where recency = 1
),

openings as (
    select
        position_id,
        currency_code,
        cast(month + {{ months('1') }} as date) as month,
        observed_amount,
        units
    from {{ ref('int_position_day_ends') }}
    where position_kind = 'holding' and units > 0
),

holding_prices_latest as (
    select
        coalesce(priced.position_id, openings.position_id) as position_id,
        coalesce(priced.currency_code, openings.currency_code) as currency_code,
        coalesce(priced.month, openings.month) as month,
        coalesce(priced.observed_amount, openings.observed_amount) as observed_amount,
        coalesce(priced.units, openings.units) as units
    from last_priced as priced
    full outer join openings
        on
            priced.position_id = openings.position_id
            and priced.currency_code = openings.currency_code
            and priced.month = openings.month
)

select * from holding_prices_latest
