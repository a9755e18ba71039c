-- How assets go on from a trend that fades: for each trend that somebody has, what one unit has become after h months, and for which
-- room (wealth stock over assets) h is the last month that leaves any of it. A trend that does not rise leaves some to the last.
with trends as (
    select distinct
        month,
        path_growth_steps as growth_steps
    from {{ ref('int_customer_prospects_weighed') }}
),

steps as (
    select
        trends.month,
        trends.growth_steps,
        ahead.h,
        parameters.value_horizon_long_months,
        -- Sums of decimals are the same in any order.
        cast(round(
            case
                when ahead.h = 0 then 0
                else ln(1 + cast(trends.growth_steps * parameters.growth_step_rate as double) * power(cast(parameters.growth_fade_rate as double), ahead.h))
            end, 15
        ) as decimal(18, 15)) as step
    from trends
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on trends.month = parameters.month
    inner join {{ ref('int_months_ahead') }} as ahead
        on ahead.h <= parameters.value_horizon_long_months
),

levels as (
    select
        month,
        growth_steps,
        h,
        h = value_horizon_long_months as is_last,
        cast(round(exp(cast(
            sum(step) over (partition by month, growth_steps order by h asc nulls last rows between unbounded preceding and current row)
            as double
        )), 15) as decimal(18, 15)) as asset_level
    from steps
),

growth_paths as (
    select
        levels.*,
        case
            when growth_steps > 0 and h > 0 then cast(asset_level as double)
            when growth_steps > 0 or is_last then 0
        end as room_from,
        case
            when is_last then cast('infinity' as double)
            when growth_steps > 0 then lead(cast(asset_level as double)) over (partition by month, growth_steps order by h asc nulls last)
        end as room_to
    from levels
)

select * from growth_paths
