-- What counts as a customer's: their share of each day's amount. `home_` is the part kept at their own branch.
with spans as (
    select
        spans.*,
        products.product_family
    from {{ ref('int_position_spans_converted') }} as spans
    inner join {{ ref('int_products_latest') }} as products
        on spans.product_id = products.product_id
    where products.counts_in_aum
),

holders as (
    select * from {{ ref('int_position_holders') }}
),

held as (
    select
        holders.customer_id,
        holders.is_home_branch,
        spans.month,
        spans.product_family,
        greatest(spans.span_from, holders.valid_from) as held_from,
        least(spans.span_to, holders.valid_to) as held_to,
        cast(spans.reporting_amount * holders.share_fraction as decimal(26, 12)) as amount
    from spans
    inner join holders
        on
            spans.position_id = holders.position_id
            and spans.span_from < holders.valid_to
            and spans.span_to > holders.valid_from
),

averages as (
    select
        customer_id,
        month,
        product_family,
        sum(amount * (held_to - held_from)) as amount_days,
        sum(case when is_home_branch then amount * (held_to - held_from) else 0 end) as home_amount_days,
        cast(max(held_to) - min(held_from) as bigint) as days_observed
    from held
    group by customer_id, month, product_family
),

month_ends as (
    select * from {{ ref('int_customer_family_month_ends') }}
),

customer_family_months as (
    select
        averages.*,
        coalesce(month_ends.eop_amount, 0) as eop_amount,
        coalesce(month_ends.home_eop_amount, 0) as home_eop_amount
    from averages
    left join month_ends
        on
            averages.customer_id = month_ends.customer_id
            and averages.month = month_ends.month
            and averages.product_family = month_ends.product_family
)

select * from customer_family_months
