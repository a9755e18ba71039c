select
    customer_id,
    month,
    cast(sum(adb_amount) as decimal(18, 2)) as adb_amount
from {{ ref('int_customer_family_averages') }}
group by customer_id, month
