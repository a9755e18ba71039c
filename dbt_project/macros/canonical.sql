{#- The canonical contract: the bank's mapping of the same name, cast to the types declared in YAML; when the bank
    does not provide the table, no rows of those types. `instead`: SQL by column, of what the mapping says. -#}
{% macro canonical(table, instead={}) %}
{%- set provided = is_provided(table) %}
select
{%- for column in model.columns.values() %}
    cast({{ instead.get(column.name, column.name) if provided else 'null' }} as {{ column.data_type }}) as {{ column.name }}{{ "," if not loop.last }}
{%- endfor %}
{%- if provided %}
from {{ ref(table) }}
{%- else %}
where false
{%- endif %}
{% endmacro %}

{#- Whether the bank fills a canonical table: what depends on one it does not says "not available" (null), never zero. -#}
{% macro is_provided(table) %}{{ return(table in var('provided')) }}{% endmacro %}
