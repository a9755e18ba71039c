{#- The ways in which a lifetime is counted, each a discount rate and a horizon in months that policy names. `next_year` is what twelve
    months bring, not discounted: what a backtest compares. -#}
{% macro value_scenarios() %}
{{ return({
    'central': ('value_discount_rate', 'value_horizon_months'),
    'low_discount': ('value_discount_low_rate', 'value_horizon_months'),
    'high_discount': ('value_discount_high_rate', 'value_horizon_months'),
    'short_horizon': ('value_discount_rate', 'value_horizon_short_months'),
    'long_horizon': ('value_discount_rate', 'value_horizon_long_months'),
    'next_year': ('0', '12'),
}) }}
{% endmacro %}
