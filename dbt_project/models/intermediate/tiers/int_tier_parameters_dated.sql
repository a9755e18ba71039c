-- For each month every number that the tier marts take from policy, as in force on its first day; null where the bank has
-- decided none.
with months as (
    select * from {{ ref('int_months') }}
),

parameters as (
    select * from {{ ref('int_parameter_spans') }}
),

tier_parameters_dated as (
    select
        months.month,
        months.month_end,
        months.is_complete,
        {%- for name in [
            'crossing_horizon_months', 'band_history_months', 'band_min_customers', 'propensity_prior_customers',
            'propensity_min_customers', 'calibration_bins', 'maturity_window_days', 'assets_change_months', 'dressing_reversal_days',
        ] %}
        cast(max(case when parameters.parameter = '{{ name }}' then parameters.value end) as integer) as {{ name }},
        {%- endfor %}
        {%- for name in [
            'wilson_z', 'band_moves_min_share', 'band_stable_max_share', 'dressing_reversal_min_share',
            'dressing_customer_max_share', 'dressing_level_max_share',
        ] %}
        max(case when parameters.parameter = '{{ name }}' then parameters.value end) as {{ name }},
        {%- endfor %}
        -- The same on every row: what lies after it is not known yet.
        max(case when months.is_complete then months.month end) over () as last_complete_month,
        min(months.month) over () as first_month
    from months
    left join parameters
        on
            parameters.valid_from <= months.month
            and parameters.valid_to > months.month
    group by months.month, months.month_end, months.is_complete
)

select * from tier_parameters_dated
