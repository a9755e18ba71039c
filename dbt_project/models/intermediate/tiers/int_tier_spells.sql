-- When a customer is rated as one: the spells with the bank, less the time in which the record is merged into another.
with spells as (
    select * from {{ ref('int_customer_spells') }}
),

merged as (
    select * from {{ ref('int_merged_records') }}
),

starts as (
    select
        spells.customer_id,
        spells.spell_number as bank_spell_number,
        spells.spell_from,
        spells.opening_known_at,
        case when spells.spell_number > 1 then 'returned' else 'account_opened' end as opening_reason
    from spells
    left join merged
        on
            spells.customer_id = merged.customer_id
            and spells.spell_from >= merged.merged_from
            and spells.spell_from < merged.merged_to
    where merged.customer_id is null
    union all
    select
        spells.customer_id,
        spells.spell_number as bank_spell_number,
        merged.merged_to as spell_from,
        merged.unmerged_known_at as opening_known_at,
        'unmerged' as opening_reason
    from spells
    inner join merged
        on
            spells.customer_id = merged.customer_id
            and spells.spell_from < merged.merged_to
            and spells.spell_to > merged.merged_to
    where merged.merged_to <= {{ as_of() }}
),

-- The first merge after a start ends what it began, else the closing does.
ended as (
    select
        starts.*,
        coalesce(min(merged.merged_from), max(spells.spell_to)) as spell_to,
        coalesce(min(merged.merged_known_at), max(spells.closing_known_at)) as closing_known_at,
        case when min(merged.merged_from) is null then 'relationship_closed' else 'merged' end as closing_reason
    from starts
    inner join spells
        on
            starts.customer_id = spells.customer_id
            and starts.bank_spell_number = spells.spell_number
    left join merged
        on
            starts.customer_id = merged.customer_id
            and starts.spell_from < merged.merged_from
            and spells.spell_to > merged.merged_from
    group by
        starts.customer_id, starts.bank_spell_number, starts.spell_from, starts.opening_known_at, starts.opening_reason
),

tier_spells as (
    select
        customer_id,
        row_number() over (partition by customer_id order by spell_from asc nulls first) as spell_number,
        spell_from,
        spell_to,
        opening_reason,
        closing_reason,
        opening_known_at,
        closing_known_at
    from ended
)

select * from tier_spells
