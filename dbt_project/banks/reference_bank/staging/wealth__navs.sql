select
    product_id,
    nav_date,
    nav,
    received_at
from {{ landed('wealth', 'navs') }} as navs
