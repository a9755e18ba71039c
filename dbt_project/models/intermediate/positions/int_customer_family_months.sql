with spans as (
    select * from {{ ref('int_position_spans_converted') }}
),

day_ends as (
    select * from {{ ref('int_position_day_ends') }}
),

holders as (
    select * from {{ ref('int_position_holders') }}
),

products as (
    select * from {{ ref('int_products_latest') }}
    where counts_in_aum
),

averages as (
    select
        holders.customer_id,
        spans.month,
        products.product_family,
        sum(cast(spans.reporting_amount * holders.share_fraction as decimal(26, 12)) * (spans.span_to - spans.span_from))
            as amount_days,
        cast(max(spans.span_to) - min(spans.span_from) as bigint) as days_observed
    from spans
    inner join holders
        on spans.position_id = holders.position_id
    inner join products
        on spans.product_id = products.product_id
    group by holders.customer_id, spans.month, products.product_family
),

month_ends as (
    select
        holders.customer_id,
        day_ends.month,
        products.product_family,
        sum(cast(day_ends.reporting_amount * holders.share_fraction as decimal(26, 12))) as eop_amount
    from day_ends
    inner join holders
        on day_ends.position_id = holders.position_id
    inner join products
        on day_ends.product_id = products.product_id
    group by holders.customer_id, day_ends.month, products.product_family
),

customer_family_months as (
    select
        averages.customer_id,
        averages.month,
        averages.product_family,
        averages.amount_days,
        averages.days_observed,
        coalesce(month_ends.eop_amount, 0) as eop_amount
    from averages
    left join month_ends
        on
            averages.customer_id = month_ends.customer_id
            and averages.month = month_ends.month
            and averages.product_family = month_ends.product_family
)

select * from customer_family_months
