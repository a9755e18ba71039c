select
    customer_id,
    month,
    {{ contribution_at('avoidable') }} as contribution_avoidable_amount,
    {{ contribution_at('full') }} as contribution_full_amount
from {{ ref('int_customer_contribution_parts') }}
