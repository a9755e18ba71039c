select
    order_id,
    customer_id,
    product_id,
    order_date as business_date,
    side,
    abs(units) as units,
    abs(amount) as amount,
    currency_code,
    received_at
from {{ landed('wealth', 'orders') }} as orders
