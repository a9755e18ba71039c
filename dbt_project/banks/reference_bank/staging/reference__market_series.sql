select
    series_code,
    period_start,
    value,
    unit,
    published_on,
    business_date,
    received_at
from {{ landed('reference', 'market_series') }} as market_series
