{#- Verdicts of the gates of the last runs on record: made outside the warehouse, by each run as it ends its gates. -#}
{% macro quality_results() %}{{ return(adapter.dispatch('quality_results')()) }}{% endmacro %}

{% macro duckdb__quality_results() -%}
read_parquet('{{ env_var("CRM_WAREHOUSE_QUALITY_RESULTS") }}')
{%- endmacro %}
