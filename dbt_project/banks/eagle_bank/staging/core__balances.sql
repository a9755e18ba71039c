-- The bank sends no balances: the day-end balance is the sum of all transactions so far, by day, because the order
-- within a day is lost. A day without transactions keeps the balance of the day before.
with account_days as (
    select
        account_id,
        business_date,
        max(received_at) as received_at,
        sum(case direction when 'credit' then amount else -amount end) as net_amount
    from {{ ref('core__transactions') }}
    group by account_id, business_date
)

select
    account_id,
    business_date,
    sum(net_amount) over (
        partition by account_id
        order by business_date asc nulls first
        rows between unbounded preceding and current row
    ) as balance_amount,
    'CZK' as currency_code,
    'end_of_day' as balance_basis,
    received_at
from account_days
