-- The months in which a customer is rated as one, for at least a day.
with spells as (
    select * from {{ ref('int_tier_spells') }}
),

months as (
    select * from {{ ref('int_months') }}
),

tier_months as (
    select
        spells.customer_id,
        months.month,
        months.month_end,
        months.is_complete,
        months.is_fed,
        months.known_at,
        max(spells.spell_number) as spell_number,
        -- The month is over, was fed, and the customer is there on its last day (rule 10).
        bool_or(spells.spell_to > months.month_end) and months.is_complete and months.is_fed as may_decide,
        -- Partial: the month is not over, or the customer was not with the bank on every day of it.
        not bool_or(months.is_complete and spells.spell_from <= months.month and spells.spell_to > months.month_end)
            as is_partial_month
    from spells
    inner join months
        on
            spells.spell_from <= months.month_end
            and spells.spell_to > months.month
    group by
        spells.customer_id, months.month, months.month_end, months.is_complete, months.is_fed, months.known_at
)

select * from tier_months
