-- The final status of a loan lies in the future of the run and is left out; what is still owed follows from the payments
-- made so far.
with payments as (
    select
        account_id,
        sum(amount) as paid_amount
    from {{ ref('core__transactions') }}
    where transaction_type = 'UVER'
    group by account_id
)

select
    loans.loan_id,
    loans.business_date,
    accounts.customer_id,
    'LOAN' as product_id,
    'CZK' as currency_code,
    loans.amount as principal_amount,
    greatest(loans.amount - coalesce(payments.paid_amount, 0), 0) as outstanding_amount,
    null as interest_rate,
    loans.fulldate as opened_on,
    loans.fulldate + to_months(loans.duration) as matures_on,
    null as days_past_due,
    null as probability_of_default,
    null as loss_given_default,
    loans.received_at
from {{ landed('core', 'loans') }} as loans
inner join {{ ref('core__accounts') }} as accounts
    on
        loans.account_id = accounts.account_id
        and loans.business_date = accounts.business_date
left join payments
    on loans.account_id = payments.account_id
where loans.fulldate <= {{ as_of() }}
