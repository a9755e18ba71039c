-- The branch that a customer is kept at, whoever it is: what is done for a firm, or for somebody who was erased, is booked there too.
with numbered as (
    select
        customer_id,
        branch_id,
        row_number() over (partition by customer_id order by business_date desc nulls last) as recency
    from {{ ref('stg_core__customers') }}
),

customer_branches_latest as (
    select
        customer_id,
        branch_id
    from numbered
    where recency = 1
)

select * from customer_branches_latest
