-- Which relationship is the current or last one from day to day: each from its first day to that of the next.
with customer_spells_followed as (
    select
        customer_id,
        spell_from as onboarded_on,
        case when spell_to < {{ end_of_time() }} then spell_to end as closed_on,
        spell_from as valid_from,
        lead(spell_from, 1, {{ end_of_time() }}) over (partition by customer_id order by spell_from asc nulls first) as valid_to
    from {{ ref('int_customer_spells') }}
)

select * from customer_spells_followed
