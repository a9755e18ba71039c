select
    account_id,
    customer_id,
    holder_role,
    share_fraction,
    business_date,
    received_at
from {{ landed('core', 'account_holders') }} as account_holders
