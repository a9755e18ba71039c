-- Each customer's flows of a month by what they are in the bridge (`part`); those of nobody that the marts show have no customer.
with parted as (
    select
        *,
        coalesce(outside_reason, inside_reason) as reason,
        case
            when coalesce(outside_reason, inside_reason) is not null then 'correction'
            when flow_class in ('conversion', 'internal') then 'transfer'
            else flow_class
        end as part
    from {{ ref('int_flows_reasoned') }}
    where is_transaction or outside_reason is null
),

customer_flows as (
    select
        customer_id,
        month,
        currency_code,
        part,
        reason as correction_reason,
        outside_reason is null as is_in_bridge,
        is_transaction,
        count(*) as movements,
        cast(sum(amount) as decimal(26, 8)) as amount,
        cast(sum(held_amount) as decimal(32, 12)) as held_amount,
        cast(sum(case when part = 'transfer' and flow_class = 'conversion' and held_amount > 0 then held_amount else 0 end) as decimal(32, 12)) as converted_amount
    from parted
    group by customer_id, month, currency_code, part, reason, outside_reason is null, is_transaction
)

select * from customer_flows
