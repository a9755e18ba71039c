with flows as (
    select
        flows.customer_id,
        flows.month,
        flows.flow_class,
        coalesce(flows.flow_use, 'other') as flow_use,
        flows.held_amount
    from {{ ref('int_transactions_attributed') }} as flows
    -- People: the marts are of retail customers.
    inner join {{ ref('int_customers_latest') }} as customers
        on flows.customer_id = customers.customer_id
    where flows.flow_class <> 'correction'
),

summed as (
    select
        customer_id,
        month,
        flow_class,
        flow_use,
        count(*) as transactions,
        cast(round(sum(case when held_amount > 0 then held_amount else 0 end), 2) as decimal(18, 2)) as inflow_amount,
        cast(round(sum(case when held_amount < 0 then -held_amount else 0 end), 2) as decimal(18, 2)) as outflow_amount
    from flows
    group by customer_id, month, flow_class, flow_use
),

fct_money_flows as (
    select
        keys.customer_key,
        summed.month,
        summed.flow_class,
        summed.flow_use,
        summed.transactions,
        summed.inflow_amount,
        summed.outflow_amount,
        cast(summed.inflow_amount - summed.outflow_amount as decimal(18, 2)) as net_flow_amount
    from summed
    inner join {{ ref('int_customer_keys') }} as keys
        on summed.customer_id = keys.customer_id
)

select * from fct_money_flows
