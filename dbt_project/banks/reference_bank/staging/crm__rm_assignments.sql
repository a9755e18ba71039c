select
    customer_id,
    rm_id,
    assignment_role,
    valid_from,
    valid_to,
    business_date,
    received_at
from {{ landed('crm', 'rm_assignments') }} as rm_assignments
