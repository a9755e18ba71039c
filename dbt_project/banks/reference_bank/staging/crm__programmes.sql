select
    customer_id,
    programme_type,
    joined_on,
    left_on,
    entitled_units,
    used_units,
    cost_amount,
    business_date,
    received_at
from {{ landed('crm', 'programmes') }} as programmes
