-- Business days on which a feed of positions that comes by day did not come: nothing may be read into them. Of a month that
-- the bank states by average no day is asked for.
with calendar as (
    select
        calendar_date,
        is_business_day,
        row_number() over (partition by calendar_date order by business_date desc nulls last) as recency
    from {{ ref('stg_reference__calendar') }}
    where calendar_date <= {{ as_of() }}
),

delivered as (
    select distinct
        position_kind,
        business_date
    from {{ ref('int_positions_observed') }}
    where balance_basis = 'end_of_day'
),

stated as (
    select distinct
        position_kind,
        {{ month_start('business_date') }} as month
    from {{ ref('int_positions_observed') }}
    where balance_basis = 'monthly_average'
),

feeds as (
    select
        position_kind,
        min(business_date) as first_date
    from delivered
    group by position_kind
),

feed_days_missing as (
    select
        feeds.position_kind,
        calendar.calendar_date
    from feeds
    inner join calendar
        on
            feeds.first_date < calendar.calendar_date
            and calendar.recency = 1
            and calendar.is_business_day
    left join delivered
        on
            feeds.position_kind = delivered.position_kind
            and calendar.calendar_date = delivered.business_date
    left join stated
        on
            feeds.position_kind = stated.position_kind
            and {{ month_start('calendar.calendar_date') }} = stated.month
    where delivered.business_date is null and stated.month is null
)

select * from feed_days_missing
