with account_holders as (
    select
        holders.account_id,
        holders.customer_id,
        holders.share_fraction,
        rank() over (partition by holders.account_id order by holders.business_date desc nulls last) as recency
    from {{ ref('stg_core__account_holders') }} as holders
),

accounts as (
    select
        'account:' || accounts.account_id as position_id,
        -- Where the bank names no holders, the customer of the account holds it alone.
        coalesce(account_holders.customer_id, accounts.customer_id) as customer_id,
        cast(coalesce(account_holders.share_fraction, 1) as decimal(9, 6)) as share_fraction
    from {{ ref('int_accounts_latest') }} as accounts
    left join account_holders
        on
            accounts.account_id = account_holders.account_id
            and account_holders.recency = 1
),

holdings as (
    select distinct
        'holding:' || customer_id || ':' || product_id as position_id,
        customer_id,
        cast(1 as decimal(9, 6)) as share_fraction
    from {{ ref('stg_wealth__holdings') }}
),

position_holders as (
    select * from accounts
    where share_fraction > 0
    union all
    select * from holdings
)

select * from position_holders
