-- One currency: the koruna is worth itself.
select
    'CZK' as currency_code,
    min(business_date) as rate_date,
    1 as cny_per_unit,
    min(received_at) as received_at
from {{ ref('core__transactions') }}
