with products as (
    select * from {{ ref('int_products_latest') }}
),

dim_products as (
    select
        product_id,
        product_name,
        product_family,
        risk_level,
        currency_code,
        minimum_amount,
        term_days,
        launched_on,
        fee_rate,
        counts_in_aum
    from products
)

select * from dim_products
