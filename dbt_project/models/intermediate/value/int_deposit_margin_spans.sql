-- What a deposit product earns and costs on any day: its transfer price and the customer's rate; null where the bank's
-- prices or policy name none.
with products as (
    select
        product_id,
        product_family,
        currency_code,
        coalesce(term_days, 0) as tenor_days
    from {{ ref('int_products_latest') }}
    where product_family in ('demand_deposit', 'time_deposit', 'structured_deposit', 'certificate_of_deposit')
),

customer_rates as (
    select * from {{ ref('int_customer_rate_spans') }}
),

transfer_prices as (
    select
        products.product_id,
        prices.valid_from,
        prices.valid_to,
        prices.rate
    from products
    inner join {{ ref('int_transfer_price_spans') }} as prices
        on
            products.product_family = prices.product_family
            and products.tenor_days = prices.tenor_days
            and products.currency_code = prices.currency_code
),

changes as (
    select
        product_id,
        cast('0001-01-01' as date) as valid_from
    from products
    union
    select
        product_id,
        valid_from
    from customer_rates
    union
    select
        product_id,
        valid_from
    from transfer_prices
),

spans as (
    select
        product_id,
        valid_from,
        lead(valid_from, 1, {{ end_of_time() }}) over (partition by product_id order by valid_from asc nulls first) as valid_to
    from changes
),

deposit_margin_spans as (
    select
        spans.product_id,
        spans.valid_from,
        spans.valid_to,
        cast(customer_rates.rate as decimal(9, 6)) as customer_rate,
        cast(transfer_prices.rate as decimal(9, 6)) as transfer_price
    from spans
    inner join products
        on spans.product_id = products.product_id
    left join customer_rates
        on
            spans.product_id = customer_rates.product_id
            and spans.valid_from >= customer_rates.valid_from
            and spans.valid_from < customer_rates.valid_to
    left join transfer_prices
        on
            spans.product_id = transfer_prices.product_id
            and spans.valid_from >= transfer_prices.valid_from
            and spans.valid_from < transfer_prices.valid_to
)

select * from deposit_margin_spans
