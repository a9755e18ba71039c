-- Whose amounts count for a customer beside their own, month by month: other records of the same person, and who else is in their
-- household and with the bank.
with reached as (
    select * from {{ ref('int_linked_customers_reached') }}
),

own as (
    select * from reached
    where rating_kind = 'own'
),

-- Who has left the bank counts in nobody's household, whatever is left in the accounts.
there as (
    select distinct
        months.month,
        spells.customer_id
    from {{ ref('int_customer_spells') }} as spells
    inner join {{ ref('int_months') }} as months
        on
            spells.spell_from <= months.month_end
            and spells.spell_to > months.month_end
),

rating_members as (
    select reached.*
    from reached
    left join own
        on
            reached.month = own.month
            and reached.customer_id = own.customer_id
            and reached.member_id = own.member_id
    left join there
        on
            reached.month = there.month
            and reached.member_id = there.customer_id
    where own.member_id is not null or there.customer_id is not null
)

select * from rating_members
