-- How a customer had an activity done at first: of so many units, so many through each channel. Their own baseline are the first
-- months they are with the bank in the warehouse's time.
with firsts as (
    select
        customer_id,
        min(month) as first_month
    from {{ ref('int_customer_months') }}
    group by customer_id
),

baselines as (
    select
        costs.customer_id,
        costs.activity,
        costs.channel,
        sum(costs.units) as baseline_units,
        max(firsts.first_month + {{ months('policy.channel_baseline_months') }}) as baseline_to
    from {{ ref('int_channel_costs') }} as costs
    inner join firsts
        on costs.customer_id = firsts.customer_id
    inner join {{ ref('int_value_parameters_dated') }} as policy
        on firsts.first_month = policy.month
    where costs.month < firsts.first_month + {{ months('policy.channel_baseline_months') }}
    group by costs.customer_id, costs.activity, costs.channel
),

channel_habits as (
    select
        baselines.*,
        sum(baseline_units) over (partition by customer_id, activity) as baseline_total
    from baselines
)

select * from channel_habits
