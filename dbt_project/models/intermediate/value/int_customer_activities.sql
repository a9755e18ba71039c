-- What the bank did for a customer in a month, counted by activity, channel and branch. A joint account's work is the
-- account customer's: it is done once, at the account's branch; a contact is made by the customer's. Both as of the day; upkeep is that of the branch at the month's end.
with transactions as (
    select
        accounts.customer_id,
        {{ month_start('transactions.business_date') }} as month,
        'transaction' as activity,
        transactions.channel,
        coalesce(moves.branch_id, accounts.branch_id) as branch_id,
        count(*) as units
    from {{ ref('stg_core__transactions') }} as transactions
    inner join {{ ref('int_accounts_latest') }} as accounts
        on transactions.account_id = accounts.account_id
    {{ branch_moves_of("'account:' || accounts.account_id", 'transactions.business_date') }}
    where transactions.business_date <= {{ as_of() }}
    group by
        accounts.customer_id, {{ month_start('transactions.business_date') }}, transactions.channel,
        coalesce(moves.branch_id, accounts.branch_id)
),

contacts as (
    select
        contacts.customer_id,
        {{ month_start('contacts.contacted_at') }} as month,
        'contact' as activity,
        contacts.channel,
        coalesce(moves.branch_id, customers.branch_id) as branch_id,
        count(*) as units
    from {{ ref('stg_crm__contacts') }} as contacts
    left join {{ ref('int_customer_branches_latest') }} as customers
        on contacts.customer_id = customers.customer_id
    {{ branch_moves_of("'customer:' || contacts.customer_id", 'cast(contacts.contacted_at as date)') }}
    where contacts.contacted_at < {{ as_of() }} + 1
    group by
        contacts.customer_id, {{ month_start('contacts.contacted_at') }}, contacts.channel,
        coalesce(moves.branch_id, customers.branch_id)
),

maintenance as (
    select
        accounts.customer_id,
        months.month,
        'account_maintenance' as activity,
        'system' as channel,
        coalesce(moves.branch_id, accounts.branch_id) as branch_id,
        count(*) as units
    from {{ ref('int_accounts_latest') }} as accounts
    inner join {{ ref('int_months') }} as months
        on
            accounts.opened_on <= months.month_end
            and coalesce(accounts.closed_on, {{ end_of_time() }}) > months.month
    {{ branch_moves_of("'account:' || accounts.account_id", 'months.month_end') }}
    group by accounts.customer_id, months.month, coalesce(moves.branch_id, accounts.branch_id)
),

customer_activities as (
    select * from transactions
    union all
    select * from contacts
    union all
    select * from maintenance
)

select * from customer_activities
