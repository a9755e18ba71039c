-- What was posted and ordered, once for each holder of its day, with the reason why it is no part of a customer's bridge
-- (`outside_reason`), or only a correction there (`inside_reason`). Every transaction that landed is in here.
with flows as (
    select
        transaction_id as leg_id,
        true as is_transaction,
        customer_id,
        business_date,
        month,
        currency_code,
        flow_class,
        correction_reason,
        cast(amount * share_fraction as decimal(26, 8)) as amount,
        held_amount
    from {{ ref('int_transactions_attributed') }}
    union all
    select
        'order:' || order_id as leg_id,
        false as is_transaction,
        customer_id,
        business_date,
        month,
        currency_code,
        flow_class,
        null as correction_reason,
        amount,
        reporting_amount as held_amount
    from {{ ref('int_orders_converted') }}
),

persons as (
    select distinct customer_id from {{ ref('int_customer_spells') }}
),

flows_reasoned as (
    select
        flows.leg_id,
        flows.is_transaction,
        flows.month,
        flows.currency_code,
        flows.flow_class,
        flows.amount,
        flows.held_amount,
        -- Nobody's where the marts show no such person.
        persons.customer_id,
        case
            when not {{ moves_position('flows.correction_reason') }} then flows.correction_reason
            when persons.customer_id is null then 'unknown_customer'
            when months.month is null then 'before_bridge'
        end as outside_reason,
        case
            when flows.correction_reason is not null then flows.correction_reason
            when matched.leg_id is not null then null
            when flows.flow_class = 'conversion' then 'conversion_leg_missing'
            when flows.flow_class = 'internal' then 'transfer_leg_missing'
        end as inside_reason
    from flows
    left join persons
        on flows.customer_id = persons.customer_id
    left join {{ ref('int_bridge_parameters_dated') }} as months
        on flows.month = months.month
    left join {{ ref('int_flow_legs_matched') }} as matched
        on flows.leg_id = matched.leg_id
)

select * from flows_reasoned
