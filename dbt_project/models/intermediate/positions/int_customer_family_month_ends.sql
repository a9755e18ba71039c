-- What a customer's share of each family is on the last day of a month.
with day_ends as (
    select
        day_ends.*,
        products.product_family
    from {{ ref('int_position_day_ends') }} as day_ends
    inner join {{ ref('int_products_latest') }} as products
        on day_ends.product_id = products.product_id
    where products.counts_in_aum
),

held as (
    select
        holders.customer_id,
        holders.is_home_branch,
        day_ends.month,
        day_ends.product_family,
        cast(day_ends.reporting_amount * holders.share_fraction as decimal(26, 12)) as amount
    from day_ends
    inner join {{ ref('int_position_holders') }} as holders
        on
            day_ends.position_id = holders.position_id
            and day_ends.month_end >= holders.valid_from
            and day_ends.month_end < holders.valid_to
),

customer_family_month_ends as (
    select
        customer_id,
        month,
        product_family,
        sum(amount) as eop_amount,
        sum(case when is_home_branch then amount else 0 end) as home_eop_amount
    from held
    group by customer_id, month, product_family
)

select * from customer_family_month_ends
