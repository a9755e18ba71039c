-- What went to and came back from each bank, broker and lender by customer and day, as far as it is (or may be) the customer's own
-- account there; repayments to lenders whoever's. `netted_with` says what is netted: brokers are one, because an order of custody
-- does not say through which broker.
with flows as (
    select
        *,
        coalesce(institution_id, counterparty_institution_id, 'unmapped') as destination_id
    from {{ ref('int_outside_flows_identified') }}
    where
        counterparty_type = 'online_lender'
        or (counterparty_type in ('other_bank', 'broker') and coalesce(is_own_name, true))
),

paid as (
    select
        customer_id,
        business_date,
        counterparty_type as institution_type,
        destination_id,
        sum(case when is_outflow then flow_amount else 0 end) as outflow_amount,
        sum(case when is_outflow then 0 else flow_amount end) as returned_amount,
        -- Of the outflows: null as soon as the bank does not say of one.
        case
            when sum(case when is_outflow and not is_own_name then 1 else 0 end) > 0 then false
            when sum(case when is_outflow and is_own_name is null then 1 else 0 end) = 0 then true
        end as is_own_name
    from flows
    group by customer_id, business_date, counterparty_type, destination_id
),

competitor_days_summed as (
    select
        *,
        case when institution_type = 'broker' then 'brokers' else institution_type || ':' || destination_id end as netted_with
    from paid
    union all
    select
        customer_id,
        business_date,
        'custody' as institution_type,
        cast(null as varchar) as destination_id,
        cast(0 as decimal(38, 12)) as outflow_amount,
        cast(sum(reporting_amount) as decimal(38, 12)) as returned_amount,
        cast(null as boolean) as is_own_name,
        'brokers' as netted_with
    from {{ ref('int_orders_converted') }}
    where flow_class = 'external'
    group by customer_id, business_date
)

select * from competitor_days_summed
