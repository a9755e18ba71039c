select
    branch_id,
    branch_name,
    region_code,
    region_name,
    city_tier,
    business_date,
    received_at
from {{ landed('reference', 'branches') }} as branches
