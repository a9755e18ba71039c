with corrections as (
    select
        month,
        customer_id,
        correction_reason,
        currency_code,
        is_in_bridge,
        sum(movements) as movements,
        sum(amount) as amount,
        sum(held_amount) as held_amount
    from {{ ref('int_customer_bridge_parts') }}
    where part = 'correction'
    group by month, customer_id, correction_reason, currency_code, is_in_bridge
),

fct_bridge_corrections as (
    select
        corrections.month,
        keys.customer_key,
        corrections.correction_reason,
        corrections.currency_code,
        cast(corrections.movements as bigint) as transactions,
        cast(corrections.amount as decimal(18, 2)) as amount,
        cast(corrections.held_amount as decimal(18, 2)) as correction_amount,
        corrections.is_in_bridge
    from corrections
    left join {{ ref('int_customer_keys') }} as keys
        on corrections.customer_id = keys.customer_id
)

select * from fct_bridge_corrections
