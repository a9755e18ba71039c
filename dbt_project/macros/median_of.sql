{#- The median of a row's expressions, those that are null left out. -#}
{% macro median_of(expressions) %}{{ return(adapter.dispatch('median_of')(expressions)) }}{% endmacro %}

{% macro duckdb__median_of(expressions) -%}
list_median([{{ expressions | join(', ') }}])
{%- endmacro %}
