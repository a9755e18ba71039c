{#- numerator / denominator rounded half away from zero to six places, by whole numbers: no floating point decides.

    Both to the cent or counts, of any size a bank has; `denominator` is positive, or the ratio is null. -#}
{% macro exact_ratio(numerator, denominator) -%}
cast(
    case when {{ numerator }} < 0 then -1 else 1 end * cast(
        {{ whole_quotient("2000000 * abs(" ~ in_cents(numerator) ~ ") + " ~ in_cents(denominator), "2 * " ~ in_cents(denominator)) }}
        as decimal(18, 0)
    ) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)
)
{%- endmacro %}

{#- How often `denominator` goes into `numerator`, both whole and not negative; null where it is zero. -#}
{% macro whole_quotient(numerator, denominator) %}{{ return(adapter.dispatch('whole_quotient')(numerator, denominator)) }}{% endmacro %}

{% macro duckdb__whole_quotient(numerator, denominator) -%}
(({{ numerator }}) // nullif({{ denominator }}, 0))
{%- endmacro %}

{#- An amount to the cent, or a count, as a whole number that does not overflow. -#}
{% macro in_cents(amount) %}{{ return(adapter.dispatch('in_cents')(amount)) }}{% endmacro %}

{% macro duckdb__in_cents(amount) -%}
cast(cast({{ amount }} as decimal(36, 2)) * 100 as hugeint)
{%- endmacro %}
