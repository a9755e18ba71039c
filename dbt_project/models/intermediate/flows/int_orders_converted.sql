-- Orders of products that count as assets, in money and units that go into the holding (+) or come out of it (-). A dividend moves
-- no holding: its cash is a transaction, and what the price loses by it is a movement of the market.
with orders as (
    select
        orders.*,
        products.product_family,
        case orders.side when 'buy' then 1 else -1 end as direction
    from {{ ref('stg_wealth__orders') }} as orders
    inner join {{ ref('int_products_latest') }} as products
        on orders.product_id = products.product_id
    where
        products.counts_in_aum
        and orders.side in ('buy', 'redeem', 'maturity')
        and orders.business_date <= {{ as_of() }}
),

orders_converted as (
    select
        orders.order_id,
        'holding:' || orders.customer_id || ':' || orders.product_id as position_id,
        orders.customer_id,
        orders.business_date,
        {{ month_start('orders.business_date') }} as month,
        orders.currency_code,
        cast(orders.direction * orders.amount as decimal(18, 2)) as amount,
        cast(orders.direction * orders.units as decimal(28, 6)) as units,
        cast(orders.direction * orders.amount * fx.rate as decimal(20, 6)) as reporting_amount,
        -- What is kept in custody for a broker counts here, and its cash went to the broker: money from outside with the
        -- opposite sign of that cash. All else is the other leg of a conversion.
        case orders.product_family when 'custody' then 'external' else 'conversion' end as flow_class
    from orders
    inner join {{ ref('int_fx_spans') }} as fx
        on
            orders.currency_code = fx.currency_code
            and orders.business_date >= fx.valid_from
            and orders.business_date < fx.valid_to
)

select * from orders_converted
