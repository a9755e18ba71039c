-- What a month's transactions and orders moved each position by, in each currency.
with movements as (
    select
        position_id,
        currency_code,
        month,
        cast(null as varchar) as customer_id,
        false as is_without_units,
        cast(0 as decimal(28, 6)) as units,
        amount,
        reporting_amount
    from {{ ref('int_transactions_classified') }}
    where {{ moves_position('correction_reason') }}
    union all
    select
        position_id,
        currency_code,
        month,
        customer_id,
        units is null as is_without_units,
        units,
        amount,
        reporting_amount
    from {{ ref('int_orders_converted') }}
),

position_movements as (
    select
        position_id,
        currency_code,
        month,
        max(customer_id) as customer_id,
        bool_or(is_without_units) as is_without_units,
        cast(sum(units) as decimal(28, 6)) as units,
        cast(sum(amount) as decimal(18, 2)) as amount,
        cast(sum(reporting_amount) as decimal(20, 6)) as reporting_amount
    from movements
    group by position_id, currency_code, month
)

select * from position_movements
