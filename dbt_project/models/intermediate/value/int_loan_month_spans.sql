-- What is owed stands until the next delivery that names the loan; a loan no longer named is paid. Foreign currency is
-- converted day by day.
with loans as (
    select * from {{ ref('stg_core__loans') }}
    where business_date <= {{ as_of() }}
),

deliveries as (
    select
        business_date,
        lead(business_date, 1, {{ as_of() }} + 1) over (order by business_date asc nulls first) as next_business_date
    from (select distinct business_date from loans) as days
),

spans as (
    select
        loans.*,
        months.month,
        months.month_end,
        greatest(loans.business_date, months.month, fx.valid_from) as span_from,
        least(deliveries.next_business_date, months.month_end + 1, fx.valid_to) as span_to,
        cast(loans.outstanding_amount * fx.rate as decimal(20, 6)) as reporting_amount
    from loans
    inner join deliveries
        on loans.business_date = deliveries.business_date
    inner join {{ ref('int_months') }} as months
        on
            loans.business_date <= months.month_end
            and deliveries.next_business_date > months.month
    inner join {{ ref('int_fx_spans') }} as fx
        on
            loans.currency_code = fx.currency_code
            and fx.valid_from < deliveries.next_business_date
            and fx.valid_to > loans.business_date
),

loan_month_spans as (
    select
        spans.*,
        span_to > month_end as is_month_end
    from spans
    where span_to > span_from
)

select * from loan_month_spans
