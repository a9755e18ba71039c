-- What branches hold is what the customers of branches hold, average and month end.
with branches as (
    select
        month,
        sum(adb_amount) as adb_amount,
        sum(eop_amount) as eop_amount
    from {{ ref('fct_window_dressing') }}
    where level = 'branch'
    group by month
),

customers as (
    select
        dressing.month,
        sum(dressing.adb_amount) as adb_amount,
        sum(dressing.eop_amount) as eop_amount
    from {{ ref('fct_window_dressing') }} as dressing
    inner join {{ ref('dim_customers') }} as customers
        on dressing.level_key = customers.customer_key
    where dressing.level = 'customer' and customers.branch_id is not null
    group by dressing.month
)

select
    customers.month,
    branches.eop_amount,
    customers.eop_amount as customers_eop_amount
from customers
left join branches
    on customers.month = branches.month
where
    branches.month is null
    or branches.adb_amount <> customers.adb_amount
    or branches.eop_amount <> customers.eop_amount
