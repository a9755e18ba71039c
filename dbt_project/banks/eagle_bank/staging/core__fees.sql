-- Statement fees; penalty interest (SANKC. UROK) is interest, not a fee.
select
    transactions.transaction_id as fee_id,
    accounts.customer_id,
    transactions.account_id,
    transactions.business_date,
    'statement' as fee_type,
    transactions.amount as list_amount,
    transactions.amount as charged_amount,
    transactions.currency_code,
    null as waiver_reason,
    transactions.received_at
from {{ ref('core__transactions') }} as transactions
inner join {{ ref('core__accounts') }} as accounts
    on transactions.account_id = accounts.account_id
where transactions.transaction_type = 'SLUZBY'
