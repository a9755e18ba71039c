{#- First day of the month of a date, as a date. -#}
{% macro month_start(day) %}cast(date_trunc('month', {{ day }}) as date){% endmacro %}
