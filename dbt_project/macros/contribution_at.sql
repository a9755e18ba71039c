{#- What a customer contributes (C1) from its parts, at `full` or at `avoidable` cost to serve. -#}
{% macro contribution_at(cost) -%}
net_interest_deposits_amount + net_interest_loans_amount + fee_income_amount - expected_loss_amount - cost_to_serve_{{ cost }}_amount - perks_amount
{%- endmacro %}
