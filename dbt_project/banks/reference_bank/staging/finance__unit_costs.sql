select
    activity,
    channel,
    month,
    full_unit_cost,
    avoidable_unit_cost,
    business_date,
    received_at
from {{ landed('finance', 'unit_costs') }} as unit_costs
