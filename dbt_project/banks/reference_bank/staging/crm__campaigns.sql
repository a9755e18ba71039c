select
    campaign_id,
    name,
    channel,
    product_id,
    starts_on,
    ends_on,
    cost_amount,
    business_date,
    received_at
from {{ landed('crm', 'campaigns') }} as campaigns
