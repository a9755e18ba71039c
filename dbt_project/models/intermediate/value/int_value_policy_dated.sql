-- For each month the numbers that loss makers and costs to serve take from policy, as in force on its first day.
with value_policy_dated as (
    select
        months.month,
        {%- for name in ['channel_baseline_months', 'loss_window_months', 'loss_min_months', 'loss_exempt_months', 'loss_peers_min'] %}
        cast(max(case when parameters.parameter = '{{ name }}' then parameters.value end) as integer) as {{ name }},
        {%- endfor %}
        months.month_end,
        months.days_in_month
    from {{ ref('int_months') }} as months
    left join {{ ref('int_parameter_spans') }} as parameters
        on
            parameters.valid_from <= months.month
            and parameters.valid_to > months.month
    group by months.month, months.month_end, months.days_in_month
)

select * from value_policy_dated
