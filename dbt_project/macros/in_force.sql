{#- Of an extract delivered as `changes`: for each key the row of the latest business date, which is the one in force.

    `versions` is `landed(...)`, which ends with the run's date: every version up to it is still there for who wants
    history. A key whose corrected delivery no longer names it falls back to the version before. -#}
{% macro in_force(versions, key) -%}
(
    select ranked.*
    from (
        select
            versions.*,
            row_number() over (
                partition by {{ key | join(', ') }}
                order by versions.business_date desc nulls last, versions.batch desc nulls last
            ) as version_rank
        from {{ versions }} as versions
    ) as ranked
    where ranked.version_rank = 1
)
{%- endmacro %}
