with branches as (
    select
        branches.*,
        row_number() over (partition by branch_id order by business_date desc nulls last) as recency
    from {{ ref('stg_reference__branches') }} as branches
),

dim_branches as (
    select
        branch_id,
        branch_name,
        region_code,
        region_name,
        city_tier
    from branches
    where recency = 1
)

select * from dim_branches
