-- The bank has no product list: its products are named in policy.
select
    products.product_id,
    products.product_name,
    products.product_family,
    null as risk_level,
    products.currency_code,
    null as minimum_amount,
    null as term_days,
    null as launched_on,
    null as fee_rate,
    products.counts_in_aum,
    {{ as_of() }} as business_date,
    null as received_at
from {{ ref('bank_products') }} as products
