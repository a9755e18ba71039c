select
    product_id,
    product_name,
    product_family,
    risk_level,
    currency_code,
    minimum_amount,
    term_days,
    launched_on,
    fee_rate,
    counts_in_aum,
    business_date,
    received_at
from {{ landed('wealth', 'products') }} as products
