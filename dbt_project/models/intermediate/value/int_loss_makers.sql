-- Customers whose contribution at avoidable cost was below zero in enough of the last months. Each such month counts for itself and
-- those that follow within the window.
with counted as (
    select
        losses.customer_id,
        policy.month,
        policy.loss_min_months,
        policy.loss_exempt_months,
        policy.month_end,
        count(*) as months_negative
    from {{ ref('int_contributions_measured') }} as losses
    inner join {{ ref('int_value_parameters_dated') }} as policy
        on
            losses.month <= policy.month
            and losses.month > policy.month - {{ months('policy.loss_window_months') }}
    where losses.contribution_amount < 0
    group by losses.customer_id, policy.month, policy.loss_min_months, policy.loss_exempt_months, policy.month_end
    having count(*) >= policy.loss_min_months
),

loss_makers as (
    select
        counted.customer_id,
        counted.month,
        counted.months_negative,
        -- Of a return the earlier years count: it is no onboarding.
        min(spells.spell_from) + {{ months('counted.loss_exempt_months') }} > counted.month_end as is_exempt
    from counted
    inner join {{ ref('int_customer_spells') }} as spells
        on counted.customer_id = spells.customer_id
    group by
        counted.customer_id, counted.month, counted.months_negative, counted.loss_exempt_months, counted.month_end
)

select * from loss_makers
