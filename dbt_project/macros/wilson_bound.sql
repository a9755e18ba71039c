{#- One end ('low' or 'high') of the Wilson interval of a share, to six places; null where nobody was followed. -#}
{% macro wilson_bound(crossed, followed, z, end) -%}
case
    when {{ followed }} > 0
        then cast(round({{ "greatest(0" if end == "low" else "least(1" }}, (
            {{ crossed }} + {{ z }} * {{ z }} / 2 {{ "-" if end == "low" else "+" }} {{ z }} * sqrt(
                cast({{ crossed }} * ({{ followed }} - {{ crossed }}) as double) / {{ followed }} + {{ z }} * {{ z }} / 4
            )
        ) / ({{ followed }} + {{ z }} * {{ z }})), 6) as decimal(9, 6))
end
{%- endmacro %}
