-- The months of the warehouse. A month is fed when every feed of positions that the bank sends by day came on each of its
-- business days; where the bank sends no calendar, nothing says which days these are.
with days as (
    select
        {{ month_start('calendar_date') }} as month,
        max(calendar_date) as month_end,
        count(*) as days_in_month,
        -- The day after the last one observed begins another month: the month is over.
        {{ month_start('max(calendar_date) + 1') }} > {{ month_start('max(calendar_date)') }} as is_complete
    from {{ ref('int_days') }}
    group by {{ month_start('calendar_date') }}
),

observed as (
    select
        {{ month_start('business_date') }} as month,
        max(received_at) as known_at
    from {{ ref('int_positions_observed') }}
    group by {{ month_start('business_date') }}
),

missing as (
    select distinct {{ month_start('calendar_date') }} as month
    from {{ ref('int_feed_days_missing') }}
),

months as (
    select
        days.month,
        days.month_end,
        days.days_in_month,
        days.is_complete,
        missing.month is null as is_fed,
        observed.known_at
    from days
    left join observed
        on days.month = observed.month
    left join missing
        on days.month = missing.month
)

select * from months
