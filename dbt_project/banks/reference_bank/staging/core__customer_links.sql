select
    customer_id,
    linked_customer_id,
    link_type,
    confidence,
    valid_from,
    valid_to,
    business_date,
    received_at
from {{ landed('core', 'customer_links') }} as customer_links
