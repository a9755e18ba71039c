{#- An interval of a number of months. -#}
{% macro months(count) %}{{ return(adapter.dispatch('months')(count)) }}{% endmacro %}

{% macro duckdb__months(count) %}to_months(cast({{ count }} as integer)){% endmacro %}
