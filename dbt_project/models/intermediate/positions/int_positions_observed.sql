-- An overdraft is lending, not an asset of the customer: a negative balance counts as nothing here. `stated_amount` is what the
-- bank states, overdrafts too.
with balances as (
    select
        'account' as position_kind,
        'account:' || balances.account_id as position_id,
        accounts.product_id,
        balances.currency_code,
        balances.business_date,
        balances.balance_basis,
        greatest(balances.balance_amount, 0) as observed_amount,
        balances.balance_amount as stated_amount,
        cast(null as decimal(28, 6)) as units,
        accounts.closed_on,
        balances.received_at
    from {{ ref('stg_core__balances') }} as balances
    inner join {{ ref('int_accounts_latest') }} as accounts
        on balances.account_id = accounts.account_id
),

holdings as (
    select
        'holding' as position_kind,
        'holding:' || customer_id || ':' || product_id as position_id,
        product_id,
        currency_code,
        business_date,
        balance_basis,
        market_value_amount as observed_amount,
        market_value_amount as stated_amount,
        cast(units as decimal(28, 6)) as units,
        cast(null as date) as closed_on,
        received_at
    from {{ ref('stg_wealth__holdings') }}
),

positions_observed as (
    select * from balances
    union all
    select * from holdings
)

select * from positions_observed
where business_date <= {{ as_of() }}
