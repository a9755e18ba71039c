-- How much business a customer does: what they own and what they owe, each on average over the month.
with volumes as (
    select
        customer_id,
        month,
        adb_amount as volume_amount
    from {{ ref('int_customer_assets_averaged') }}
    union all
    select
        debts.customer_id,
        debts.month,
        {{ exact_quotient('debts.debt_days', 'months.days_in_month') }} as volume_amount
    from {{ ref('int_customer_debt_months') }} as debts
    inner join {{ ref('int_months') }} as months
        on debts.month = months.month
),

customer_business_volumes as (
    select
        customer_id,
        month,
        cast(sum(volume_amount) as decimal(18, 2)) as volume_amount
    from volumes
    group by customer_id, month
)

select * from customer_business_volumes
