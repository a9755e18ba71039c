select
    rm_id,
    branch_id,
    grade,
    role,
    hired_on,
    left_on,
    leave_reason,
    business_date,
    received_at
from {{ landed('crm', 'relationship_managers') }} as relationship_managers
