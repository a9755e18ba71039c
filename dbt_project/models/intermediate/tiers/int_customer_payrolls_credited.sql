-- Salaries that came in, by customer of the account and month, at each day's rate.
with customer_payrolls_credited as (
    select
        accounts.customer_id,
        {{ month_start('transactions.business_date') }} as month,
        cast(sum(transactions.amount * fx.rate) as decimal(18, 2)) as payroll_amount
    from {{ ref('stg_core__transactions') }} as transactions
    inner join {{ ref('int_accounts_latest') }} as accounts
        on transactions.account_id = accounts.account_id
    inner join {{ ref('int_fx_spans') }} as fx
        on
            transactions.currency_code = fx.currency_code
            and fx.valid_from <= transactions.business_date
            and fx.valid_to > transactions.business_date
    where
        transactions.counterparty_type = 'payroll'
        and transactions.direction = 'credit'
        and transactions.business_date <= {{ as_of() }}
    group by accounts.customer_id, {{ month_start('transactions.business_date') }}
)

select * from customer_payrolls_credited
