select
    prospect_id,
    source,
    created_at,
    consent,
    status,
    converted_customer_id,
    acquisition_cost_amount,
    received_at
from {{ in_force(landed('crm', 'prospects'), ['prospect_id']) }} as prospects
