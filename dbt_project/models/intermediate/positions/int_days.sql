-- A plain spine of days, wide enough for any bank: built from digits, so that every engine can.
with digits as (
    select cast(digit as integer) as digit
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as ten (digit)
),

first_day as (
    select {{ month_start('min(business_date)') }} as day
    from {{ ref('int_positions_observed') }}
),

days as (
    select
        cast(first_day.day + (ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit) as date)
            as calendar_date
    from first_day
    cross join digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
)

select * from days
where calendar_date <= {{ as_of() }}
