select
    transaction_id,
    account_id,
    posted_at,
    transaction_date as business_date,
    abs(amount) as amount,
    currency_code,
    direction,
    transaction_type,
    channel,
    counterparty_name_token,
    counterparty_institution_id,
    counterparty_type,
    is_own_name,
    reversal_of,
    received_at
from {{ landed('core', 'transactions') }} as transactions
