{#- numerator / divisor rounded half away from zero to `places` (the cent), without floating point deciding.

    Engines divide decimals as doubles, and half a cent is common (15 of 30 days): the double only proposes, decimal
    comparison decides, in more than 18 digits, which DuckDB would multiply in 64 bits. `numerator` decimal with at most
    18 places, `divisor` a positive integer. Rescaling a decimal of 38 digits costs more than all the rest: give it as it is. -#}
{% macro exact_quotient(numerator, divisor, places=2) -%}
{%- set unit = "cast(1e-" ~ places ~ " as decimal(" ~ (places + 1) ~ ", " ~ places ~ "))" -%}
{%- set half = "cast(5e-" ~ (places + 1) ~ " as decimal(" ~ (places + 2) ~ ", " ~ (places + 1) ~ "))" -%}
{%- set proposed = "cast(round(cast(abs(" ~ numerator ~ ") as double) / " ~ divisor ~ ", " ~ places ~ ") as decimal(18, " ~ places ~ "))" -%}
cast(
    case when {{ numerator }} < 0 then -1 else 1 end * (
        {{ proposed }} + case
            when abs({{ numerator }}) >= ({{ proposed }} + {{ half }}) * {{ divisor }} then {{ unit }}
            when abs({{ numerator }}) < ({{ proposed }} - {{ half }}) * {{ divisor }} then -{{ unit }}
            else 0 * {{ unit }}
        end
    ) as decimal(18, {{ places }})
)
{%- endmacro %}
