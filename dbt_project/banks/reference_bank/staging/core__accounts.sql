select
    account_id,
    customer_id,
    product_id,
    currency_code,
    branch_id,
    opened_on,
    closed_on,
    account_status,
    business_date,
    received_at
from {{ landed('core', 'accounts') }} as accounts
