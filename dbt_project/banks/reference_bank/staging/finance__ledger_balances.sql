select
    ledger_date as business_date,
    ledger_code,
    branch_id,
    currency_code,
    balance_amount,
    received_at
from {{ landed('finance', 'ledger_balances') }} as ledger_balances
