with customers as (
    select * from {{ ref('stg_core__customers') }}
),

numbered as (
    select
        customers.*,
        row_number() over (partition by customer_id order by business_date desc nulls last) as recency
    from customers
    where customer_type = 'personal'
),

customers_latest as (
    select *
    from numbered
    where recency = 1
)

select * from customers_latest
