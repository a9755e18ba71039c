-- What is owed stands until the next delivery that names the loan, or until it matures; a loan no longer named is paid.
-- One named for the first time has stood since its opening in that month. Foreign currency is converted day by day,
-- and it is booked at the customer's branch of the day.
with loans as (
    select
        loans.*,
        business_date = min(business_date) over (partition by loan_id) as is_first
    from {{ ref('stg_core__loans') }} as loans
    where business_date <= {{ as_of() }}
),

deliveries as (
    select
        business_date,
        lead(business_date, 1, {{ as_of() }} + 1) over (order by business_date asc nulls first) as next_business_date
    from (select distinct business_date from loans) as days
),

dated as (
    select
        loans.*,
        case
            when loans.is_first
                then least(loans.business_date, greatest(loans.opened_on, {{ month_start('loans.business_date') }}))
            else loans.business_date
        end as stands_from,
        least(deliveries.next_business_date, coalesce(loans.matures_on, {{ end_of_time() }})) as stands_to
    from loans
    inner join deliveries
        on loans.business_date = deliveries.business_date
),

spans as (
    select
        loans.*,
        months.month,
        months.month_end,
        coalesce(moves.branch_id, customers.branch_id) as branch_id,
        greatest(loans.stands_from, months.month, fx.valid_from, coalesce(moves.valid_from, months.month)) as span_from,
        least(loans.stands_to, months.month_end + 1, fx.valid_to, coalesce(moves.valid_to, {{ end_of_time() }})) as span_to,
        cast(loans.outstanding_amount as decimal(20, 6)) as amount,
        cast(loans.outstanding_amount * fx.rate as decimal(20, 6)) as reporting_amount
    from dated as loans
    inner join {{ ref('int_months') }} as months
        on
            loans.stands_from <= months.month_end
            and loans.stands_to > months.month
    inner join {{ ref('int_fx_spans') }} as fx
        on
            loans.currency_code = fx.currency_code
            and fx.valid_from < loans.stands_to
            and fx.valid_to > loans.stands_from
    left join {{ ref('int_customer_branches_latest') }} as customers
        on loans.customer_id = customers.customer_id
    left join {{ ref('int_branch_moves') }} as moves
        on 'customer:' || loans.customer_id = moves.holder_id
),

loan_month_spans as (
    select
        spans.*,
        span_to > month_end as is_month_end
    from spans
    where span_to > span_from
)

select * from loan_month_spans
