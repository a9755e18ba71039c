-- What the bank did for a customer in a month, counted by activity and channel. A joint account's work is the account
-- customer's: it is done once.
with transactions as (
    select
        accounts.customer_id,
        {{ month_start('transactions.business_date') }} as month,
        'transaction' as activity,
        transactions.channel,
        count(*) as units
    from {{ ref('stg_core__transactions') }} as transactions
    inner join {{ ref('int_accounts_latest') }} as accounts
        on transactions.account_id = accounts.account_id
    where transactions.business_date <= {{ as_of() }}
    group by accounts.customer_id, {{ month_start('transactions.business_date') }}, transactions.channel
),

contacts as (
    select
        customer_id,
        {{ month_start('contacted_at') }} as month,
        'contact' as activity,
        channel,
        count(*) as units
    from {{ ref('stg_crm__contacts') }}
    where contacted_at < {{ as_of() }} + 1
    group by customer_id, {{ month_start('contacted_at') }}, channel
),

maintenance as (
    select
        accounts.customer_id,
        months.month,
        'account_maintenance' as activity,
        'system' as channel,
        count(*) as units
    from {{ ref('int_accounts_latest') }} as accounts
    inner join {{ ref('int_months') }} as months
        on
            accounts.opened_on <= months.month_end
            and coalesce(accounts.closed_on, {{ end_of_time() }}) > months.month
    group by accounts.customer_id, months.month
),

customer_activities as (
    select * from transactions
    union all
    select * from contacts
    union all
    select * from maintenance
)

select * from customer_activities
