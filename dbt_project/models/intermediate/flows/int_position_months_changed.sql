-- A position's month in one currency: how far what counts, what the bank states and the units moved from month end to month end,
-- and what was posted (accounts) or ordered (holdings) between them. Money in another currency than the position's stands alone.
with month_ends as (
    select
        day_ends.*,
        day_ends.position_kind = 'holding' and day_ends.units is null as is_without_units
    from {{ ref('int_position_day_ends') }} as day_ends
    inner join {{ ref('int_products_latest') }} as products
        on day_ends.product_id = products.product_id
    where products.counts_in_aum
),

ends as (
    select
        coalesce(closings.position_id, openings.position_id) as position_id,
        coalesce(closings.currency_code, openings.currency_code) as currency_code,
        coalesce(closings.month, cast(openings.month + {{ months('1') }} as date)) as month,
        coalesce(closings.is_without_units, false) or coalesce(openings.is_without_units, false) as is_without_units,
        {%- for column in ['observed_amount', 'stated_amount', 'units'] %}
        coalesce(closings.{{ column }}, 0) - coalesce(openings.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        coalesce(openings.reporting_amount, 0) as opening_amount,
        coalesce(closings.reporting_amount, 0) as closing_amount
    from month_ends as closings
    full outer join month_ends as openings
        on
            closings.position_id = openings.position_id
            and closings.currency_code = openings.currency_code
            and closings.month = cast(openings.month + {{ months('1') }} as date)
),

changes as (
    select
        coalesce(ends.position_id, movements.position_id) as position_id,
        coalesce(ends.currency_code, movements.currency_code) as currency_code,
        coalesce(ends.month, movements.month) as month,
        movements.customer_id,
        coalesce(ends.is_without_units, false) or coalesce(movements.is_without_units, false) as is_without_units,
        cast(coalesce(ends.observed_amount, 0) as decimal(18, 2)) as counted_change,
        cast(coalesce(ends.stated_amount, 0) as decimal(18, 2)) as stated_change,
        cast(coalesce(ends.units, 0) - coalesce(movements.units, 0) as decimal(28, 6)) as units_unexplained,
        coalesce(ends.opening_amount, 0) as opening_amount,
        coalesce(ends.closing_amount, 0) as closing_amount,
        coalesce(movements.amount, 0) as moved_amount,
        coalesce(movements.reporting_amount, 0) as moved_reporting_amount
    from ends
    full outer join {{ ref('int_position_movements') }} as movements
        on
            ends.position_id = movements.position_id
            and ends.currency_code = movements.currency_code
            and ends.month = movements.month
),

position_months_changed as (
    select
        changes.*,
        months.month_end,
        months.opening_end
    from changes
    inner join {{ ref('int_bridge_parameters_dated') }} as months
        on changes.month = months.month
)

select * from position_months_changed
