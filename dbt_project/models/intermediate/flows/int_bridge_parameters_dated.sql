-- The months of the bridge, from the second of the warehouse on (the first has no opening), with what policy says of them on their
-- first day.
with months as (
    select
        month,
        month_end,
        lag(month_end) over (order by month asc nulls first) as opening_end
    from {{ ref('int_months') }}
),

bridge_parameters_dated as (
    select
        months.month,
        months.month_end,
        months.opening_end,
        {%- for name in ['bridge_tolerance_amount', 'bridge_tolerance_share'] %}
        max(case when parameters.parameter = '{{ name }}' then parameters.value end) as {{ name }},
        {%- endfor %}
        min(months.month) over () as first_month
    from months
    left join {{ ref('int_parameter_spans') }} as parameters
        on
            parameters.valid_from <= months.month
            and parameters.valid_to > months.month
    where months.opening_end is not null
    group by months.month, months.month_end, months.opening_end
)

select * from bridge_parameters_dated
