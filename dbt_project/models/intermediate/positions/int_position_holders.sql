with accounts as (
    select
        'account:' || accounts.account_id as position_id,
        -- Where the bank names no holders, the customer of the account holds it alone.
        coalesce(account_holders.customer_id, accounts.customer_id) as customer_id,
        cast(coalesce(account_holders.share_fraction, 1) as decimal(9, 6)) as share_fraction,
        coalesce(account_holders.valid_from, cast('0001-01-01' as date)) as valid_from,
        coalesce(account_holders.valid_to, {{ end_of_time() }}) as valid_to,
        accounts.branch_id
    from {{ ref('int_accounts_latest') }} as accounts
    left join {{ ref('int_account_holders') }} as account_holders
        on accounts.account_id = account_holders.account_id
),

holdings as (
    select distinct
        'holding:' || customer_id || ':' || product_id as position_id,
        customer_id,
        cast(1 as decimal(9, 6)) as share_fraction,
        cast('0001-01-01' as date) as valid_from,
        {{ end_of_time() }} as valid_to,
        cast(null as varchar) as branch_id
    from {{ ref('stg_wealth__holdings') }}
),

position_holders as (
    select * from accounts
    where share_fraction > 0
    union all
    select * from holdings
)

select
    position_holders.*,
    -- Holdings are kept at no branch but the customer's own.
    coalesce(position_holders.branch_id = customers.branch_id, true) as is_home_branch
from position_holders
left join {{ ref('int_customers_latest') }} as customers
    on position_holders.customer_id = customers.customer_id
