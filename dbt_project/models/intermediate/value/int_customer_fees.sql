-- A fee in foreign currency is converted at the rate of its day.
with fees as (
    select
        fees.customer_id,
        {{ month_start('fees.business_date') }} as month,
        cast(fees.charged_amount * fx.rate as decimal(20, 6)) as charged_amount,
        cast((fees.list_amount - fees.charged_amount) * fx.rate as decimal(20, 6)) as waived_amount
    from {{ ref('stg_core__fees') }} as fees
    inner join {{ ref('int_fx_spans') }} as fx
        on
            fees.currency_code = fx.currency_code
            and fees.business_date >= fx.valid_from
            and fees.business_date < fx.valid_to
    where fees.business_date <= {{ as_of() }}
),

customer_fees as (
    select
        customer_id,
        month,
        cast(sum(charged_amount) as decimal(18, 2)) as charged_amount,
        cast(sum(waived_amount) as decimal(18, 2)) as waived_amount
    from fees
    group by customer_id, month
)

select * from customer_fees
