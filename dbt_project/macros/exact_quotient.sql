{#- numerator / divisor rounded half away from zero to the cent, without floating point deciding.

    Engines divide decimals as doubles, and half a cent is common (15 of 30 days): the double only proposes, decimal
    comparison decides. `numerator` decimal with at most 12 places, `divisor` a positive integer. -#}
{% macro exact_quotient(numerator, divisor) -%}
{%- set proposed = "cast(round(cast(abs(" ~ numerator ~ ") as double) / " ~ divisor ~ ", 2) as decimal(18, 2))" -%}
cast(
    case when {{ numerator }} < 0 then -1 else 1 end * (
        {{ proposed }} + case
            when abs({{ numerator }}) >= ({{ proposed }} + cast(0.005 as decimal(4, 3))) * {{ divisor }} then cast(0.01 as decimal(3, 2))
            when abs({{ numerator }}) < ({{ proposed }} - cast(0.005 as decimal(4, 3))) * {{ divisor }} then cast(-0.01 as decimal(3, 2))
            else cast(0 as decimal(3, 2))
        end
    ) as decimal(18, 2)
)
{%- endmacro %}
