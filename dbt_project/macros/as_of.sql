{#- The business date the run is about. Time comes in; it is never looked up. A variable of dbt would do (unit tests give it so), but
    another value of one makes dbt parse the whole project anew; another value of the environment only what says it. -#}
{% macro as_of() %}cast('{{ var("as_of_date", env_var("CRM_WAREHOUSE_AS_OF", "")) }}' as date){% endmacro %}

{#- The open end of every half-open interval. -#}
{% macro end_of_time() %}cast('{{ var("end_of_time") }}' as date){% endmacro %}
