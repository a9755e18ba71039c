select
    customer_id,
    product_id,
    holding_date as business_date,
    units,
    market_value_amount,
    cost_amount,
    currency_code,
    balance_basis,
    received_at
from {{ landed('wealth', 'holdings') }} as holdings
