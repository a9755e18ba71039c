select
    customer_id,
    month,
    net_interest_deposits_amount + net_interest_loans_amount + fee_income_amount - expected_loss_amount - perks_amount
    - cost_to_serve_avoidable_amount as contribution_avoidable_amount,
    net_interest_deposits_amount + net_interest_loans_amount + fee_income_amount - expected_loss_amount - perks_amount
    - cost_to_serve_full_amount as contribution_full_amount
from {{ ref('int_customer_contribution_parts') }}
