with stocks as (
    select
        estimated.*,
        spend_amount + top_up_amount + money_fund_amount as outflow_amount
    from {{ ref('int_platform_stocks_estimated') }} as estimated
),

totals as (
    select
        stocks.*,
        sum(outflow_amount) over (partition by customer_id, month) as total_outflow_amount,
        sum(case when platform_id = 'unmapped' then outflow_amount else 0 end) over (partition by customer_id, month) as unmapped_outflow_amount
    from stocks
),

fct_payment_platform_flows as (
    select
        keys.customer_key,
        totals.month,
        totals.platform_id,
        {% for part in ['outflow', 'inflow', 'spend', 'top_up', 'money_fund'] -%}
        cast(totals.{{ part }}_amount as decimal(18, 2)) as {{ part }}_amount,
        {% endfor -%}
        cast(totals.stock_amount as decimal(18, 2)) as estimated_stock_amount,
        true as is_estimated,
        cast(totals.visible_spend_amount as decimal(18, 2)) as visible_spend_amount,
        {{ exact_ratio('totals.visible_spend_amount', 'totals.spend_amount') }} as visible_merchant_share,
        cast(totals.unmapped_outflow_amount as decimal(18, 2)) as unmapped_outflow_amount,
        cast(totals.total_outflow_amount as decimal(18, 2)) as total_outflow_amount,
        {{ exact_ratio('totals.unmapped_outflow_amount', 'totals.total_outflow_amount') }} as unmapped_share
    from totals
    inner join {{ ref('int_customer_keys') }} as keys
        on totals.customer_id = keys.customer_id
)

select * from fct_payment_platform_flows
