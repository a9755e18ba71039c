-- Each transaction once for each holder of its account on its day, by share, in money that comes in (+) or goes out (-).
-- A transaction of an account nobody knows has no customer, one without a rate no amount: both stay, to be shown.
with transactions as (
    select
        transaction_id,
        'account:' || account_id as position_id,
        business_date,
        currency_code,
        case direction when 'credit' then amount else -amount end as amount,
        transaction_type,
        channel,
        counterparty_type,
        counterparty_institution_id,
        counterparty_name_token,
        is_own_name,
        reversal_of
    from {{ ref('stg_core__transactions') }}
    where business_date <= {{ as_of() }}
),

transactions_attributed as (
    select
        transactions.*,
        {{ month_start('transactions.business_date') }} as month,
        holders.customer_id,
        coalesce(holders.share_fraction, cast(1 as decimal(9, 6))) as share_fraction,
        cast(
            cast(transactions.amount * fx.rate as decimal(20, 6)) * coalesce(holders.share_fraction, cast(1 as decimal(9, 6)))
            as decimal(26, 12)
        ) as reporting_amount
    from transactions
    left join {{ ref('int_position_holders') }} as holders
        on
            transactions.position_id = holders.position_id
            and transactions.business_date >= holders.valid_from
            and transactions.business_date < holders.valid_to
    left join {{ ref('int_fx_spans') }} as fx
        on
            transactions.currency_code = fx.currency_code
            and transactions.business_date >= fx.valid_from
            and transactions.business_date < fx.valid_to
)

select * from transactions_attributed
