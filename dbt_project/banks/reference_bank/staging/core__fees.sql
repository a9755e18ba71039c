select
    fee_id,
    customer_id,
    account_id,
    fee_date as business_date,
    fee_type,
    list_amount,
    charged_amount,
    currency_code,
    waiver_reason,
    received_at
from {{ landed('core', 'fees') }} as fees
