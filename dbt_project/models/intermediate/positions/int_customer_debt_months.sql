-- What a customer owes on loans, in the shape of what they own: for ladders that rate net assets.
with spans as (
    select * from {{ ref('int_loan_month_spans') }}
),

customer_debt_months as (
    select
        customer_id,
        month,
        sum(reporting_amount * (span_to - span_from)) as debt_days,
        sum(case when is_month_end then reporting_amount else 0 end) as eop_debt_amount
    from spans
    group by customer_id, month
)

select * from customer_debt_months
