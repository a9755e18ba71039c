select
    response_id,
    customer_id,
    sent_at,
    answered_at,
    survey_type,
    question_code,
    score,
    scale_min,
    scale_max,
    received_at
from {{ in_force(landed('crm', 'surveys'), ['response_id', 'question_code']) }} as surveys
