-- What each customer should still have on each platform, month by month from the first flow on: what went in less what came
-- back, never below nothing. Such a sum is the running sum less its lowest point so far, where that is below zero.
with flows as (
    select * from {{ ref('int_platform_months_summed') }}
),

wallets as (
    select
        customer_id,
        platform_id,
        min(month) as first_month
    from flows
    where top_up_amount + money_fund_amount > 0
    group by customer_id, platform_id
),

wallet_months as (
    select
        customer_id,
        platform_id,
        month
    from flows
    union distinct
    select
        wallets.customer_id,
        wallets.platform_id,
        customer_months.month
    from wallets
    inner join {{ ref('int_customer_months') }} as customer_months
        on
            wallets.customer_id = customer_months.customer_id
            and wallets.first_month <= customer_months.month
),

summed as (
    select
        wallet_months.*,
        {% for part in ['inflow', 'spend', 'top_up', 'money_fund', 'visible_spend'] -%}
        coalesce(flows.{{ part }}_amount, 0) as {{ part }}_amount,
        {% endfor -%}
        flows.month is not null as has_flows,
        sum(coalesce(flows.top_up_amount + flows.money_fund_amount - flows.inflow_amount, 0)) over (
            partition by wallet_months.customer_id, wallet_months.platform_id
            order by wallet_months.month asc nulls first
            rows between unbounded preceding and current row
        ) as running_amount
    from wallet_months
    left join flows
        on
            wallet_months.customer_id = flows.customer_id
            and wallet_months.platform_id = flows.platform_id
            and wallet_months.month = flows.month
),

platform_stocks_estimated as (
    select
        summed.*,
        running_amount - least(0, min(running_amount) over (
            partition by customer_id, platform_id
            order by month asc nulls first
            rows between unbounded preceding and current row
        )) as stock_amount
    from summed
)

select * from platform_stocks_estimated
where has_flows or stock_amount > 0
