select
    calendar_date,
    is_business_day,
    holiday_name,
    business_date,
    received_at
from {{ landed('reference', 'calendar') }} as calendar
