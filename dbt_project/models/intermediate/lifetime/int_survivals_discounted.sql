-- For each cell and month ahead: the chance to be still here, discounted, in each scenario; and of that the share of a gap that has been
-- captured by then. Zero beyond a scenario's horizon.
with ahead as (
    select
        cells.month,
        cells.cell,
        ahead.h,
        parameters.value_horizon_months,
        {%- for name, (rate, horizon) in value_scenarios().items() %}
        case
            when ahead.h between 1 and {{ horizon }} then power(1 + cast({{ rate }} as double), -cast(ahead.h as double) / 12)
            else 0
        end as discount_{{ name }},
        {%- endfor %}
        power(1 - cast(cells.exit_rate as double), ahead.h) as survival,
        1 - power(1 - cast(cells.capture_rate as double), cast(ahead.h as double) / 12) as captured
    from {{ ref('int_value_cells_learned') }} as cells
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on cells.month = parameters.month
    inner join {{ ref('int_months_ahead') }} as ahead
        on ahead.h <= parameters.value_horizon_long_months
),

survivals_discounted as (
    select
        month,
        cell,
        h,
        {%- for name in value_scenarios() %}
        cast(round(survival * discount_{{ name }}, 15) as decimal(18, 15)) as weight_{{ name }},
        cast(round(survival * discount_{{ name }} * captured, 15) as decimal(18, 15)) as captured_{{ name }},
        {%- endfor %}
        h = value_horizon_months as is_horizon,
        round(captured, 12) as captured_share
    from ahead
)

select * from survivals_discounted
