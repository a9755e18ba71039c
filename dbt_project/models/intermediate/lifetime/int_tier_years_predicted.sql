-- What the next twelve months bring by Markov's chain (Pfeifer, Carraway 2000): a customer goes from tier to tier as customers did so far,
-- and brings in each what a customer of it brought on average in the last twelve months; who is gone brings nothing.
with brought as (
    select
        months.month,
        states.tier_code,
        cast(sum(parts.contribution_avoidable_amount) as double) / count(parts.contribution_avoidable_amount) as mean_amount
    from {{ ref('int_months') }} as months
    inner join {{ ref('int_customer_value_states') }} as states
        on
            states.month <= months.month
            and states.month > months.month - {{ months('12') }}
    inner join {{ ref('int_customer_contributions_added') }} as parts
        on states.customer_id = parts.customer_id and states.month = parts.month
    where states.is_here
    group by months.month, states.tier_code
),

steps as (
    select
        chains.month,
        chains.from_tier,
        chains.to_tier,
        cast(chains.customers as double) / chains.of_customers as chance,
        coalesce(brought.mean_amount, 0) as mean_amount
    from {{ ref('int_tier_chains_learned') }} as chains
    left join brought
        on chains.month = brought.month and chains.to_tier = brought.tier_code
),

after_0 as (
    select distinct
        month,
        from_tier,
        cast(0 as double) as amount
    from steps
),

{% for step in range(1, 13) %}
after_{{ step }} as (
    select
        steps.month,
        steps.from_tier,
        sum(steps.chance * (steps.mean_amount + coalesce(later.amount, 0))) as amount
    from steps
    left join after_{{ step - 1 }} as later
        on steps.month = later.month and steps.to_tier = later.from_tier
    group by steps.month, steps.from_tier
),
{% endfor %}
tier_years_predicted as (
    select
        month,
        from_tier as tier_code,
        cast(round(amount, 2) as decimal(18, 2)) as predicted_amount
    from after_12
)

select * from tier_years_predicted
