-- Accounts and customers that were ever kept at another branch: at which from when to when, as the deliveries say. The ledger books a
-- day at the branch of that day. What the first delivery says holds before it, too.
with stated as (
    select
        'account:' || account_id as holder_id,
        business_date,
        branch_id
    from {{ ref('stg_core__accounts') }}
    where business_date <= {{ as_of() }}
    union all
    select
        'customer:' || customer_id as holder_id,
        business_date,
        branch_id
    from {{ ref('stg_core__customers') }}
    where business_date <= {{ as_of() }}
),

-- Nearly all stay where they are.
moved as (
    select holder_id
    from stated
    group by holder_id
    having min(branch_id) <> max(branch_id)
),

compared as (
    select
        stated.*,
        lag(stated.business_date) over by_holder as previous_business_date,
        lag(stated.branch_id) over by_holder as previous_branch_id
    from stated
    inner join moved
        on stated.holder_id = moved.holder_id
    window by_holder as (partition by stated.holder_id order by stated.business_date asc nulls first)
),

branch_moves as (
    select
        holder_id,
        branch_id,
        case when previous_business_date is null then cast('0001-01-01' as date) else business_date end as valid_from,
        lead(business_date, 1, {{ end_of_time() }}) over (partition by holder_id order by business_date asc nulls first) as valid_to
    from compared
    where previous_business_date is null or branch_id is distinct from previous_branch_id
)

select * from branch_moves
