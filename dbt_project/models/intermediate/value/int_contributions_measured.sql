-- What a contribution comes of, so that customers can be compared: how much business and at what margin, how dear a transaction
-- is, how much of the manager's time, losses, perks and waivers. Only where the whole contribution is known.
with contributions as (
    select
        parts.*,
        net_interest_deposits_amount + net_interest_loans_amount as net_interest_amount,
        {{ contribution_at('avoidable') }} as contribution_amount
    from {{ ref('int_customer_contribution_parts') }} as parts
),

work as (
    select
        customer_id,
        month,
        sum(case when activity = 'transaction' then units else 0 end) as transactions,
        cast(sum(case when activity = 'transaction' then avoidable_amount else 0 end) as decimal(18, 2)) as transactions_amount,
        cast(sum(case when activity = 'contact' then avoidable_amount else 0 end) as decimal(18, 2)) as contacts_amount
    from {{ ref('int_channel_costs') }}
    group by customer_id, month
),

ratings as (
    select * from {{ ref('int_customer_months_rated') }}
    where is_in_force
),

contributions_measured as (
    select
        contributions.customer_id,
        contributions.month,
        ratings.tier_code,
        contributions.contribution_amount,
        contributions.net_interest_amount,
        coalesce(volumes.volume_amount, 0) as volume_amount,
        {{ exact_ratio('contributions.net_interest_amount', 'case when volumes.volume_amount > 0 then volumes.volume_amount end') }}
            as margin_rate,
        coalesce(work.transactions, 0) as transactions,
        coalesce(work.transactions_amount, 0) as transactions_amount,
        {{ exact_ratio('work.transactions_amount', 'case when work.transactions > 0 then work.transactions end') }}
            as transaction_cost,
        coalesce(work.contacts_amount, 0) as contacts_amount,
        contributions.expected_loss_amount,
        contributions.perks_amount,
        contributions.waived_amount
    from contributions
    left join {{ ref('int_customer_business_volumes') }} as volumes
        on contributions.customer_id = volumes.customer_id and contributions.month = volumes.month
    left join work
        on contributions.customer_id = work.customer_id and contributions.month = work.month
    left join ratings
        on contributions.customer_id = ratings.customer_id and contributions.month = ratings.month
    where contributions.contribution_amount is not null
)

select * from contributions_measured
