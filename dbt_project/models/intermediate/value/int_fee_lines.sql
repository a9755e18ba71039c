-- Fees by the branch, on that day, of the account they were charged to. A fee in foreign currency is converted at the rate of its day.
with fees as (
    select
        fees.customer_id,
        {{ month_start('fees.business_date') }} as month,
        coalesce(moves.branch_id, accounts.branch_id, customers.branch_id) as branch_id,
        fees.currency_code,
        fees.charged_amount,
        cast(fees.charged_amount * fx.rate as decimal(20, 6)) as reporting_charged_amount,
        cast((fees.list_amount - fees.charged_amount) * fx.rate as decimal(20, 6)) as reporting_waived_amount
    from {{ ref('stg_core__fees') }} as fees
    inner join {{ ref('int_fx_spans') }} as fx
        on
            fees.currency_code = fx.currency_code
            and fees.business_date >= fx.valid_from
            and fees.business_date < fx.valid_to
    left join {{ ref('int_accounts_latest') }} as accounts
        on fees.account_id = accounts.account_id
    left join {{ ref('int_customer_branches_latest') }} as customers
        on fees.customer_id = customers.customer_id
    {{ branch_moves_of("coalesce('account:' || accounts.account_id, 'customer:' || fees.customer_id)", 'fees.business_date') }}
    where fees.business_date <= {{ as_of() }}
),

fee_lines as (
    select
        customer_id,
        month,
        branch_id,
        currency_code,
        cast(sum(charged_amount) as decimal(18, 6)) as charged_amount,
        cast(sum(reporting_charged_amount) as decimal(18, 6)) as reporting_charged_amount,
        cast(sum(reporting_waived_amount) as decimal(18, 6)) as reporting_waived_amount
    from fees
    group by customer_id, month, branch_id, currency_code
)

select * from fee_lines
