-- What came to custody counted here (+) or left it (-) by orders, by customer and day: cash that a broker turned into it, or back.
with orders as (
    select
        *,
        case side when 'buy' then amount when 'redeem' then -amount end as signed_amount
    from {{ ref('stg_wealth__orders') }}
    where business_date <= {{ as_of() }} and side in ('buy', 'redeem')
),

custody_orders_valued as (
    select
        orders.customer_id,
        orders.business_date,
        sum(cast(orders.signed_amount * fx.rate as decimal(20, 6))) as custody_amount
    from orders
    inner join {{ ref('int_products_latest') }} as products
        on
            orders.product_id = products.product_id
            and products.product_family = 'custody'
            and products.counts_in_aum
    inner join {{ ref('int_fx_spans') }} as fx
        on
            orders.currency_code = fx.currency_code
            and orders.business_date >= fx.valid_from
            and orders.business_date < fx.valid_to
    group by orders.customer_id, orders.business_date
)

select * from custody_orders_valued
