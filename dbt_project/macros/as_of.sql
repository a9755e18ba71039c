{#- The business date the run is about. Time comes in; it is never looked up. -#}
{% macro as_of() %}cast('{{ var("as_of_date") }}' as date){% endmacro %}

{#- The open end of every half-open interval. -#}
{% macro end_of_time() %}cast('{{ var("end_of_time") }}' as date){% endmacro %}
