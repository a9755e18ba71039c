-- The months of the bridge with what policy says of them on their first day. It begins with the second month of which the warehouse
-- has balances and transactions: the first has no opening, or no whole month of transactions.
with months as (
    select
        month,
        month_end,
        lag(month_end) over (order by month asc nulls first) as opening_end
    from {{ ref('int_months') }}
),

posted as (
    select {{ month_start('min(business_date)') }} as first_month
    from {{ ref('stg_core__transactions') }}
    where business_date <= {{ as_of() }}
),

bridge_parameters_dated as (
    select
        {%- for name in ['bridge_tolerance_amount', 'bridge_tolerance_share'] %}
        max(case when parameters.parameter = '{{ name }}' then parameters.value end) as {{ name }},
        {%- endfor %}
        months.month,
        months.month_end,
        months.opening_end
    from months
    inner join posted
        on months.month > posted.first_month
    left join {{ ref('int_parameter_spans') }} as parameters
        on
            parameters.valid_from <= months.month
            and parameters.valid_to > months.month
    where months.opening_end is not null
    group by months.month, months.month_end, months.opening_end
)

select * from bridge_parameters_dated
