-- For each month every number that customer value takes from policy, as in force on its first day; null where the bank has
-- decided none.
with months as (
    select * from {{ ref('int_months') }}
),

parameters as (
    select * from {{ ref('int_parameter_spans') }}
),

value_parameters_dated as (
    select
        months.month,
        months.month_end,
        months.is_complete,
        {%- for name in [
            'life_table_min_months', 'life_table_min_exits', 'tenure_band_1_months', 'tenure_band_2_months', 'tenure_band_3_months', 'wallet_min_customers',
            'cell_min_customers', 'growth_prior_months', 'margin_prior_months', 'value_horizon_months', 'value_horizon_short_months',
            'value_horizon_long_months', 'channel_baseline_months', 'loss_window_months', 'loss_min_months', 'loss_exempt_months',
            'loss_peers_min',
        ] %}
        cast(max(case when parameters.parameter = '{{ name }}' then parameters.value end) as integer) as {{ name }},
        {%- endfor %}
        {%- for name in [
            'peer_wallet_quantile', 'growth_max_rate', 'growth_fade_rate', 'growth_step_rate', 'margin_max_rate',
            'value_discount_rate', 'value_discount_low_rate', 'value_discount_high_rate', 'pyramid_platinum_share',
            'pyramid_gold_share', 'value_class_high_share',
        ] %}
        max(case when parameters.parameter = '{{ name }}' then parameters.value end) as {{ name }},
        {%- endfor %}
        min(months.month) over () as first_month
    from months
    left join parameters
        on
            parameters.valid_from <= months.month
            and parameters.valid_to > months.month
    group by months.month, months.month_end, months.is_complete
)

select * from value_parameters_dated
