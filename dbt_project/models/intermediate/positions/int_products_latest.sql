with numbered as (
    select
        products.*,
        row_number() over (partition by product_id order by business_date desc nulls last) as recency
    from {{ ref('stg_wealth__products') }} as products
),

products_latest as (
    select *
    from numbered
    where recency = 1
)

select * from products_latest
