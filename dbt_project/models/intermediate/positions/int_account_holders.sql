-- Who holds an account, in what shares, from when to when. What the first delivery says held before it, too; a share that
-- changes later changes nothing in the months before.
with account_days as (
    select
        holders.account_id,
        holders.customer_id,
        holders.share_fraction,
        holders.business_date,
        dense_rank() over (partition by holders.account_id order by holders.business_date asc nulls last) as delivery_number
    from {{ ref('stg_core__account_holders') }} as holders
    where holders.business_date <= {{ as_of() }}
),

-- The same holder and share in deliveries that follow each other have one number.
runs as (
    select
        account_days.*,
        delivery_number - row_number() over (
            partition by account_id, customer_id, share_fraction
            order by delivery_number asc nulls last
        ) as run_number
    from account_days
),

stated as (
    select
        account_id,
        customer_id,
        share_fraction,
        min(business_date) as first_date,
        min(delivery_number) as first_delivery,
        max(delivery_number) as last_delivery
    from runs
    group by account_id, customer_id, share_fraction, run_number
),

deliveries as (
    select distinct
        account_id,
        delivery_number,
        business_date
    from account_days
),

account_holders as (
    select
        stated.account_id,
        stated.customer_id,
        stated.share_fraction,
        case when stated.first_delivery = 1 then cast('0001-01-01' as date) else stated.first_date end as valid_from,
        coalesce(following.business_date, {{ end_of_time() }}) as valid_to
    from stated
    left join deliveries as following
        on
            stated.account_id = following.account_id
            and stated.last_delivery + 1 = following.delivery_number
)

select * from account_holders
