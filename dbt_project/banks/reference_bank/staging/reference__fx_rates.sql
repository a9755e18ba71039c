select
    currency_code,
    rate_date,
    cny_per_unit,
    received_at
from {{ landed('reference', 'fx_rates') }} as fx_rates
