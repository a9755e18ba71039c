with numbered as (
    select
        accounts.*,
        row_number() over (partition by account_id order by business_date desc nulls last) as recency
    from {{ ref('stg_core__accounts') }} as accounts
    where opened_on <= {{ as_of() }}
),

accounts_latest as (
    select *
    from numbered
    where recency = 1
)

select * from accounts_latest
