{#- A local time ('2014-03-30 09:00:00', as text) of a time zone, as the UTC timestamp of the same moment. -#}
{% macro to_utc(local_time, zone) %}{{ return(adapter.dispatch('to_utc')(local_time, zone)) }}{% endmacro %}

{% macro duckdb__to_utc(local_time, zone) -%}
((cast({{ local_time }} as timestamp) at time zone '{{ zone }}') at time zone 'UTC')
{%- endmacro %}
