with averages as (
    select * from {{ ref('int_customer_family_averages') }}
),

fct_customer_aum_monthly as (
    select
        keys.customer_key,
        averages.month,
        averages.product_family,
        averages.adb_amount,
        averages.eop_amount,
        averages.days_observed
    from averages
    inner join {{ ref('int_customer_keys') }} as keys
        on averages.customer_id = keys.customer_id
    inner join {{ ref('int_customer_months') }} as customer_months
        on
            averages.customer_id = customer_months.customer_id
            and averages.month = customer_months.month
)

select * from fct_customer_aum_monthly
