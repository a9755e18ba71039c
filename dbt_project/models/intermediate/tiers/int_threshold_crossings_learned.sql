-- For each month the share that crosses, by side and tenth of the gap, from those customer-months alone whose outcome was
-- known when the month ended. Tenths with few of them lean on the rate of their side;
-- a side with too few says nothing.
with near as (
    select * from {{ ref('int_customers_near_thresholds') }}
),

months as (
    select
        month,
        crossing_horizon_months,
        propensity_prior_customers,
        propensity_min_customers,
        -- Of a month in progress nobody knows the outcome that ends with it.
        case when is_complete then month else cast(month - {{ months('1') }} as date) end as known_month
    from {{ ref('int_tier_parameters_dated') }}
),

outcomes as (
    select
        month,
        side,
        gap_tenth,
        count(*) as customers,
        count(case when has_crossed then 1 end) as crossed
    from near
    where not is_partial_month and has_crossed is not null
    group by month, side, gap_tenth
),

tenths as (
    select distinct
        side,
        gap_tenth
    from near
),

learned as (
    select
        months.month,
        tenths.side,
        tenths.gap_tenth,
        months.propensity_prior_customers as prior_customers,
        cast(sum(case when outcomes.gap_tenth = tenths.gap_tenth then outcomes.customers else 0 end) as bigint) as customers,
        cast(sum(case when outcomes.gap_tenth = tenths.gap_tenth then outcomes.crossed else 0 end) as bigint) as crossed,
        cast(sum(outcomes.customers) as bigint) as side_customers,
        cast(sum(outcomes.crossed) as bigint) as side_crossed
    from months
    inner join outcomes
        on outcomes.month + {{ months('months.crossing_horizon_months') }} <= months.known_month
    inner join tenths
        on outcomes.side = tenths.side
    group by
        months.month, tenths.side, tenths.gap_tenth, months.propensity_prior_customers, months.propensity_min_customers
    -- From a handful nothing is learned.
    having sum(outcomes.customers) >= months.propensity_min_customers
),

threshold_crossings_learned as (
    select
        month,
        side,
        gap_tenth,
        customers as learned_from_customers,
        {{ exact_ratio(
            'crossed * side_customers + prior_customers * side_crossed', '(customers + prior_customers) * side_customers'
        ) }} as crossing_propensity,
        {{ exact_ratio('side_crossed', 'side_customers') }} as base_rate
    from learned
)

select * from threshold_crossings_learned
