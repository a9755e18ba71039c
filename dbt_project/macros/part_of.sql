{#- `amount` x `part` / `whole`, rounded half away from zero to the cent by whole numbers: no floating point decides.

    `amount` to the cent and not negative, `part` and `whole` in units of six places at most; null where `whole` is zero. -#}
{% macro part_of(amount, part, whole) -%}
cast(
    case when {{ part }} < 0 then -1 else 1 end * cast(
        {{ whole_quotient(
            "2 * " ~ in_cents(amount) ~ " * " ~ in_millionths("abs(" ~ part ~ ")") ~ " + " ~ in_millionths(whole),
            "2 * " ~ in_millionths(whole)
        ) }} as decimal(18, 0)
    ) * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
)
{%- endmacro %}

{#- Units of six places as a whole number that does not overflow. -#}
{% macro in_millionths(units) %}{{ return(adapter.dispatch('in_millionths')(units)) }}{% endmacro %}

{% macro duckdb__in_millionths(units) -%}
cast(cast({{ units }} as decimal(30, 6)) * 1000000 as hugeint)
{%- endmacro %}
