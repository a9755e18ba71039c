select
    request_id,
    customer_id,
    opened_at,
    acknowledged_at,
    resolved_at,
    reopened_at,
    category,
    channel,
    priority,
    is_complaint,
    handler_stage,
    resolution,
    satisfaction_score,
    received_at
from {{ in_force(landed('crm', 'service_requests'), ['request_id']) }} as service_requests
