{#- numerator / denominator rounded half away from zero to six places, by whole numbers: no floating point decides.

    Both to the cent or counts; `denominator` is positive, or the ratio is null. -#}
{% macro exact_ratio(numerator, denominator) -%}
cast(
    case when {{ numerator }} < 0 then -1 else 1 end * cast(
        {{ whole_quotient("abs(" ~ numerator ~ ") * 2000000 + (" ~ denominator ~ ")", "2 * (" ~ denominator ~ ")") }} as decimal(18, 0)
    ) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)
)
{%- endmacro %}

{#- How often `denominator` goes into `numerator`, both to the cent and not negative; null where it is zero. -#}
{% macro whole_quotient(numerator, denominator) %}{{ return(adapter.dispatch('whole_quotient')(numerator, denominator)) }}{% endmacro %}

{% macro duckdb__whole_quotient(numerator, denominator) -%}
(cast(({{ numerator }}) * 100 as hugeint) // nullif(cast(({{ denominator }}) * 100 as hugeint), 0))
{%- endmacro %}
