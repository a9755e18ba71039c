with days as (
    select * from {{ ref('int_days') }}
),

calendar as (
    select
        calendar_date,
        is_business_day,
        holiday_name,
        row_number() over (partition by calendar_date order by business_date desc nulls last) as recency
    from {{ ref('stg_reference__calendar') }}
),

dim_dates as (
    select
        days.calendar_date,
        {{ month_start('days.calendar_date') }} as month,
        cast(extract(year from days.calendar_date) as integer) as calendar_year,
        cast(extract(quarter from days.calendar_date) as integer) as calendar_quarter,
        days.calendar_date = months.month_end and months.is_complete as is_month_end,
        calendar.is_business_day,
        calendar.holiday_name
    from days
    inner join {{ ref('int_months') }} as months
        on {{ month_start('days.calendar_date') }} = months.month
    left join calendar
        on
            days.calendar_date = calendar.calendar_date
            and calendar.recency = 1
)

select * from dim_dates
