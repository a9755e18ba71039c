with spells as (
    select * from {{ ref('int_customer_spells') }}
),

months as (
    select * from {{ ref('int_months') }}
),

customer_months as (
    select
        spells.customer_id,
        months.month,
        months.month_end,
        months.days_in_month,
        months.known_at,
        max(spells.spell_number) as spell_number,
        -- Partial: the month is not over, or the customer was not with the bank on every day of it.
        not bool_or(months.is_complete and spells.spell_from <= months.month and spells.spell_to > months.month_end)
            as is_partial_month
    from spells
    inner join months
        on
            spells.spell_from <= months.month_end
            and spells.spell_to > months.month
    group by
        spells.customer_id, months.month, months.month_end, months.days_in_month, months.known_at, months.is_complete
)

select * from customer_months
