-- Rounded once, here: what the marts add up is what they show.
with families as (
    select * from {{ ref('int_customer_family_months') }}
),

customer_family_averages as (
    select
        families.customer_id,
        families.month,
        families.product_family,
        {{ exact_quotient('families.amount_days', 'months.days_in_month') }} as adb_amount,
        {{ exact_quotient('families.eop_amount', '1') }} as eop_amount,
        families.days_observed
    from families
    inner join {{ ref('int_months') }} as months
        on families.month = months.month
)

select * from customer_family_averages
