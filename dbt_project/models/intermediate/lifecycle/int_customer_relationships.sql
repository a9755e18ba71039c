-- The spells of a customer, and which of them are one relationship: a reopening within policy relationship_gap_days of the closing
-- goes on with it. A closing without a day away from the bank is none.
with parameters as (
    select * from {{ ref('int_lifecycle_parameters_dated') }}
),

spells as (
    select
        customer_id,
        spell_number,
        spell_from,
        least(spell_to, lead(spell_from, 1, {{ end_of_time() }}) over by_customer) as spell_to,
        lead(spell_from) over by_customer as next_spell_from
    from {{ ref('int_customer_spells') }}
    where spell_from < spell_to
    window by_customer as (partition by customer_id order by spell_from asc nulls first)
),

begun as (
    select
        spells.*,
        parameters.first_month,
        lag(spells.spell_to) over (partition by spells.customer_id order by spells.spell_from asc nulls first) as previous_to,
        coalesce(
            spells.spell_from - lag(spells.spell_to) over (
                partition by spells.customer_id order by spells.spell_from asc nulls first
            ) <= parameters.relationship_gap_days,
            false
        ) as is_reopening
    from spells
    -- What was before the first month is judged by its policy.
    inner join parameters
        on greatest({{ month_start('spells.spell_from') }}, parameters.first_month) = parameters.month
),

numbered as (
    select
        begun.*,
        cast(sum(case when is_reopening then 0 else 1 end) over (
            partition by customer_id
            order by spell_from asc nulls first
            rows between unbounded preceding and current row
        ) as integer) as relationship_number,
        lead(is_reopening) over (partition by customer_id order by spell_from asc nulls first) as next_is_reopening
    from begun
),

customer_relationships as (
    select
        numbered.customer_id,
        numbered.spell_number,
        numbered.spell_from,
        numbered.spell_to,
        numbered.next_spell_from,
        numbered.first_month,
        numbered.relationship_number,
        min(numbered.spell_from) over (
            partition by numbered.customer_id, numbered.relationship_number
        ) as relationship_from,
        numbered.spell_to < {{ end_of_time() }}
        and coalesce(numbered.next_spell_from > numbered.spell_to, true) as is_closed,
        -- Null until the days in which the customer may come back are over.
        coalesce(
            numbered.next_is_reopening,
            case when {{ as_of() }} - numbered.spell_to >= today.relationship_gap_days then false end
        ) as is_reopened
    from numbered
    inner join parameters as today
        on today.month = today.last_month
)

select * from customer_relationships
