-- Whom policy takes a counterparty for, from when to when.
with counterparty_mappings_dated as (
    select
        counterparty_kind,
        counterparty,
        institution_id,
        top_up_use,
        effective_from as valid_from,
        lead(effective_from, 1, {{ end_of_time() }}) over (
            partition by counterparty_kind, counterparty
            order by effective_from asc nulls first
        ) as valid_to
    from {{ ref('counterparty_mappings') }}
)

select * from counterparty_mappings_dated
