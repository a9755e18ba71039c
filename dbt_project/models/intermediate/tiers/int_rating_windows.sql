-- Which months' amounts a version rates in a month, and what they are divided by. A version that is over goes on rating
-- for as long as a grace period that began under it may last.
with unfed as (
    select count(*) as months
    from {{ ref('int_months') }}
    where not is_fed
),

versions as (
    select distinct
        policy_version,
        rating_base,
        rating_window,
        rating_divisor,
        rating_scope,
        effective_from,
        effective_to,
        review_months,
        case
            when effective_to = {{ end_of_time() }} or longest_grace = 1 then effective_to
            else cast(effective_to + {{ months('(longest_grace + unfed.months) * review_months') }} as date)
        end as rated_to
    from {{ ref('int_tier_ladder') }}
    -- A month without a rating makes a grace period longer.
    cross join unfed
),

months as (
    select * from {{ ref('int_months') }}
),

windows as (
    select
        months.month,
        versions.*,
        case
            when versions.rating_window = 'quarter' then cast(months.month - {{ months('2') }} as date)
            else months.month
        end as window_from
    from months
    inner join versions
        on
            months.month >= versions.effective_from
            and months.month < versions.rated_to
),

rating_windows as (
    select
        windows.month,
        windows.policy_version,
        windows.rating_base,
        windows.rating_window,
        windows.rating_scope,
        windows.month < windows.effective_to as is_in_force,
        extract(month from windows.month) % windows.review_months = 0 as is_review,
        window_months.month as window_month,
        cast(case
            when windows.rating_window = 'month_end' then 1
            when windows.rating_divisor = 'fixed_30' then 30 * count(*) over by_window
            else sum(window_months.days_in_month) over by_window
        end as bigint) as divisor
    from windows
    inner join months as window_months
        on
            windows.window_from <= window_months.month
            and windows.month >= window_months.month
    window by_window as (partition by windows.month, windows.policy_version)
)

select * from rating_windows
