select
    owner_type,
    owner_id,
    month,
    measure,
    target_amount,
    business_date,
    received_at
from {{ landed('crm', 'targets') }} as targets
