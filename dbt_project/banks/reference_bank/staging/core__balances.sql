select
    account_id,
    balance_date as business_date,
    balance_amount,
    currency_code,
    balance_basis,
    received_at
from {{ landed('core', 'balances') }} as balances
