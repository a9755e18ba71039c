select
    complaint_id as request_id,
    'C' || lpad(client_id, 8, '0') as customer_id,
    cast(date_received as timestamp) as opened_at,
    -- Sent on before it was received (192 complaints): the wait is unknown, not negative.
    case when date_sent_to_company >= date_received then cast(date_sent_to_company as timestamp) end as acknowledged_at,
    null as resolved_at,
    null as reopened_at,
    product as category,
    lower(submitted_via) as channel,
    null as priority,
    true as is_complaint,
    null as handler_stage,
    company_response_to_consumer as resolution,
    null as satisfaction_score,
    received_at
from {{ landed('crm', 'complaints') }} as complaints
where date_received <= {{ as_of() }}
