select
    district_id as branch_id,
    city as branch_name,
    state_abbrev as region_code,
    state_name as region_name,
    null as city_tier,
    business_date,
    received_at
from {{ landed('reference', 'districts') }} as districts
