-- At each month's end, of the customers who are with the bank and whom the delivery in force names: how many have each attribute,
-- and since when its value stands.
with months as (
    select
        months.month,
        months.month_end,
        months.customer_id
    from {{ ref('int_customer_months') }} as months
    inner join {{ ref('int_customer_spells') }} as spells
        on
            months.customer_id = spells.customer_id
            and months.spell_number = spells.spell_number
    where
        spells.spell_to > months.month_end
        -- Before the first delivery nobody counted.
        and months.month_end >= (select min(business_date) from {{ ref('stg_core__customers') }})
),

attributes_counted as (
    select
        months.month,
        months.month_end,
        attributes.attribute,
        attributes.stands_since,
        count(*) as customers,
        count(case when attributes.is_filled then 1 end) as filled
    from months
    inner join {{ ref('int_customer_attributes_dated') }} as attributes
        on
            months.customer_id = attributes.customer_id
            and months.month_end >= attributes.valid_from
            and months.month_end < attributes.valid_to
    where attributes.is_listed
    group by months.month, months.month_end, attributes.attribute, attributes.stands_since
)

select * from attributes_counted
