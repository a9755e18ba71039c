select
    campaign_id,
    customer_id,
    is_control,
    contacted_at,
    responded_at,
    converted_at,
    converted_amount,
    received_at
from {{ in_force(landed('crm', 'campaign_members'), ['campaign_id', 'customer_id']) }} as campaign_members
