{#- What was believed before corrections of closed months: made by the same SQL from what had been received by then. `part` is
    `beliefs` (all of them, the present one last), `ratings` or `spells` (of past beliefs, of customers they differ for). -#}
{% macro beliefs(part) %}{{ return(adapter.dispatch('beliefs')(part)) }}{% endmacro %}

{% macro duckdb__beliefs(part) -%}
read_parquet('{{ env_var("CRM_WAREHOUSE_BELIEFS") }}/{{ part }}.parquet')
{%- endmacro %}
