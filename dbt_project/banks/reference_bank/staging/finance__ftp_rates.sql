select
    product_family,
    tenor_days,
    currency_code,
    effective_on,
    rate,
    business_date,
    received_at
from {{ landed('finance', 'ftp_rates') }} as ftp_rates
