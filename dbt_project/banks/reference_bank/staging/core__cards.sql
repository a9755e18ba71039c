select
    card_id,
    customer_id,
    product_id,
    credit_limit_amount,
    outstanding_amount,
    issued_on,
    closed_on,
    business_date,
    received_at
from {{ landed('core', 'cards') }} as cards
