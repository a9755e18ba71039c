with near as (
    select * from {{ ref('int_customers_near_thresholds') }}
),

payrolls as (
    select * from {{ ref('int_customer_payrolls_credited') }}
),

-- Before the first salary the bank sent, and where it sent none or names no terms, what is not known is not zero.
reach as (
    select
        (select min(month) from payrolls) as first_payroll_month,
        (select count(case when counts_in_aum and term_days > 0 then 1 end) from {{ ref('int_products_latest') }}) > 0 as has_terms
),

fct_near_threshold_customers as (
    select
        keys.customer_key,
        near.month,
        near.side,
        near.policy_version,
        near.tier_code,
        tiers.tier_code as threshold_tier_code,
        near.threshold_amount,
        near.rating_amount,
        near.gap_amount,
        {{ exact_ratio('near.gap_amount', 'near.threshold_amount') }} as gap_share,
        near.gap_tenth,
        learned.crossing_propensity,
        learned.learned_from_customers,
        near.has_crossed,
        case when near.side = 'below' then near.threshold_amount else near.rating_amount end as expected_aum_amount,
        cast(
            cast(learned.crossing_propensity as decimal(20, 6))
            * case when near.side = 'below' then near.threshold_amount else near.rating_amount end
            as decimal(18, 2)
        ) as weighted_aum_amount,
        case when reach.has_terms then coalesce(maturities.maturing_amount, 0) end as maturing_90d_amount,
        assets.assets_change_amount as assets_change_3m_amount,
        case when near.month >= reach.first_payroll_month then coalesce(payrolls.payroll_amount, 0) end as payroll_amount,
        managers.rm_id as primary_rm_id,
        near.is_partial_month
    from near
    cross join reach
    inner join {{ ref('int_customer_keys') }} as keys
        on near.customer_id = keys.customer_id
    inner join {{ ref('dim_tier_policies') }} as tiers
        on
            near.policy_version = tiers.policy_version
            and near.threshold_amount = tiers.threshold_amount
    left join {{ ref('int_threshold_crossings_learned') }} as learned
        on
            near.month = learned.month
            and near.side = learned.side
            and near.gap_tenth = learned.gap_tenth
    left join {{ ref('int_customer_maturities_due') }} as maturities
        on
            near.customer_id = maturities.customer_id
            and near.month = maturities.month
    left join {{ ref('int_customer_assets_changed') }} as assets
        on
            near.customer_id = assets.customer_id
            and near.month = assets.month
    left join payrolls
        on
            near.customer_id = payrolls.customer_id
            and near.month = payrolls.month
    left join {{ ref('int_customer_managers_assigned') }} as managers
        on
            near.customer_id = managers.customer_id
            and near.month = managers.month
)

select * from fct_near_threshold_customers
