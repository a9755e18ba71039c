-- What the bank earns on a deposit product on any day: its transfer price less what the customer gets.
with products as (
    select
        product_id,
        product_family,
        currency_code,
        coalesce(term_days, 0) as tenor_days
    from {{ ref('int_products_latest') }}
),

customer_rates as (
    select
        product_id,
        cast(effective_from as date) as valid_from,
        lead(cast(effective_from as date), 1, {{ end_of_time() }}) over (
            partition by product_id
            order by effective_from asc nulls first
        ) as valid_to,
        cast(rate as decimal(18, 9)) as rate
    from {{ ref('deposit_rates') }}
),

deposit_margin_spans as (
    select
        products.product_id,
        greatest(customer_rates.valid_from, transfer_prices.valid_from) as valid_from,
        least(customer_rates.valid_to, transfer_prices.valid_to) as valid_to,
        cast(transfer_prices.rate - customer_rates.rate as decimal(9, 6)) as margin_rate
    from products
    inner join customer_rates
        on products.product_id = customer_rates.product_id
    inner join {{ ref('int_transfer_price_spans') }} as transfer_prices
        on
            products.product_family = transfer_prices.product_family
            and products.tenor_days = transfer_prices.tenor_days
            and products.currency_code = transfer_prices.currency_code
            and customer_rates.valid_from < transfer_prices.valid_to
            and customer_rates.valid_to > transfer_prices.valid_from
)

select * from deposit_margin_spans
