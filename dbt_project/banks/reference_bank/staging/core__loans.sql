select
    loan_id,
    loan_date as business_date,
    customer_id,
    product_id,
    currency_code,
    principal_amount,
    outstanding_amount,
    interest_rate,
    opened_on,
    matures_on,
    days_past_due,
    probability_of_default,
    loss_given_default,
    received_at
from {{ landed('core', 'loans') }} as loans
