-- A month's average assets at the prices and exchange rates they began with: what is left to move is what the customer does.
-- Interest credited is in it. Most money is in the bank's currency and without a price: it stays as it is, because wide decimals
-- cost more than all the rest.
with prices as (
    select * from {{ ref('int_product_prices_indexed') }}
),

spans as (
    select
        spans.position_id,
        spans.month,
        spans.span_from,
        spans.span_to,
        case
            when prices.first_rate = 1 and prices.price_factor = 1 then cast(spans.observed_amount as decimal(24, 6))
            else cast(cast(cast(spans.observed_amount as decimal(20, 2)) * prices.first_rate as decimal(24, 6)) * prices.price_factor as decimal(24, 6))
        end as amount
    from {{ ref('int_position_month_spans') }} as spans
    inner join prices
        on
            spans.product_id = prices.product_id
            and spans.currency_code = prices.currency_code
            and spans.month = prices.month
),

held as (
    select
        holders.customer_id,
        spans.month,
        cast(spans.amount * holders.share_fraction as decimal(30, 12))
        * (least(spans.span_to, holders.valid_to) - greatest(spans.span_from, holders.valid_from)) as amount_days
    from spans
    inner join {{ ref('int_position_holders') }} as holders
        on
            spans.position_id = holders.position_id
            and spans.span_from < holders.valid_to
            and spans.span_to > holders.valid_from
),

customer_assets_deflated as (
    select
        held.customer_id,
        held.month,
        cast(sum(held.amount_days) as decimal(38, 12)) as amount_days
    from held
    group by held.customer_id, held.month
)

select * from customer_assets_deflated
