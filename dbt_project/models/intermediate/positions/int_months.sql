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

months as (
    select
        days.month,
        days.month_end,
        days.days_in_month,
        days.is_complete,
        observed.known_at
    from days
    left join observed
        on days.month = observed.month
)

select * from months
