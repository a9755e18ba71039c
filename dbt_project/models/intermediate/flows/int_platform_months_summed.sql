-- What each customer sent to and got back from each payment platform in each month with a flow, to the cent. What is no purchase
-- is a transfer: into the wallet, or into the money fund where policy says that this platform's transfers go there.
with flows as (
    select
        customer_id,
        month,
        coalesce(institution_id, 'unmapped') as platform_id,
        flow_amount,
        is_name_known,
        case
            when not is_outflow then 'inflow'
            when flow_use = 'spend' then 'spend'
            else top_up_use
        end as part
    from {{ ref('int_outside_flows_identified') }}
    where counterparty_type = 'payment_platform'
),

platform_months_summed as (
    select
        customer_id,
        month,
        platform_id,
        {% for part in ['inflow', 'spend', 'top_up', 'money_fund'] -%}
        cast(round(sum(case when part = '{{ part }}' then flow_amount else 0 end), 2) as decimal(18, 2)) as {{ part }}_amount,
        {% endfor -%}
        cast(round(sum(case when part = 'spend' and is_name_known then flow_amount else 0 end), 2) as decimal(18, 2)) as visible_spend_amount
    from flows
    group by customer_id, month, platform_id
)

select * from platform_months_summed
