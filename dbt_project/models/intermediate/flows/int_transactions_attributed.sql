-- Each classified transaction once for each holder of its account on its day, by share. A transaction of an account nobody
-- knows has no customer, one without a rate no amount: both stay, to be shown.
with transactions_attributed as (
    select
        transactions.*,
        holders.customer_id,
        coalesce(holders.share_fraction, cast(1 as decimal(9, 6))) as share_fraction,
        cast(
            transactions.reporting_amount * coalesce(holders.share_fraction, cast(1 as decimal(9, 6))) as decimal(26, 12)
        ) as held_amount
    from {{ ref('int_transactions_classified') }} as transactions
    left join {{ ref('int_position_holders') }} as holders
        on
            transactions.position_id = holders.position_id
            and transactions.business_date >= holders.valid_from
            and transactions.business_date < holders.valid_to
)

select * from transactions_attributed
