-- Two claims of the seeds, put to the test month by month: from the private-banking threshold to 8 million customers come and
-- go, above it they stay. Each holds, or does not, when the whole Wilson interval lies on one side of policy's limit.
with parameters as (
    select * from {{ ref('int_tier_parameters_dated') }}
    where is_complete
),

ladder as (
    select * from {{ ref('dim_tier_policies') }}
    where is_active
),

bands as (
    select
        tiers.policy_version,
        tiers.effective_from,
        tiers.effective_to,
        tiers.tier_code,
        named.band,
        named.claim
    from ladder as private
    cross join (values ('near', 1, null), ('volatile', 0, 'moves'), ('stable', 0, 'stable')) as named (band, ranks_below, claim)
    inner join ladder as tiers
        on
            private.policy_version = tiers.policy_version
            and private.tier_rank = tiers.tier_rank + named.ranks_below
    where private.is_private_banking and private.volatile_to_amount is not null
),

followed as (
    select
        followed.month,
        followed.band,
        count(*) as customers,
        count(followed.has_crossed) as followed_customers,
        count(case when followed.has_crossed then 1 end) as crossed,
        sum(varied.steps) as steps,
        sum(varied.flips) as flips,
        sum(varied.coefficient_of_variation) as variation,
        count(varied.coefficient_of_variation) as varied_customers
    from {{ ref('int_customer_bands_followed') }} as followed
    inner join {{ ref('int_customer_ratings_varied') }} as varied
        on followed.customer_id = varied.customer_id and followed.month = varied.month
    group by followed.month, followed.band
),

judged as (
    select
        parameters.*,
        bands.policy_version,
        bands.tier_code,
        bands.band,
        bands.claim,
        coalesce(followed.customers, 0) as customers,
        followed.followed_customers as n,
        {{ exact_ratio('followed.crossed', 'followed.followed_customers') }} as crossing_share_3m,
        {{ exact_ratio('followed.flips * 12', 'followed.steps') }} as flips_per_year,
        {{ exact_ratio('followed.variation * 10000', 'followed.varied_customers * 10000') }} as aum_cv,
        {{ wilson_bound('followed.crossed', 'followed.followed_customers', 'parameters.wilson_z', 'low') }} as wilson_low,
        {{ wilson_bound('followed.crossed', 'followed.followed_customers', 'parameters.wilson_z', 'high') }} as wilson_high
    from parameters
    inner join bands
        on parameters.month >= bands.effective_from and parameters.month < bands.effective_to
    left join followed
        on parameters.month = followed.month and bands.band = followed.band
),

fct_tier_band_stability as (
    select
        month,
        tier_code,
        band,
        policy_version,
        customers,
        crossing_share_3m,
        flips_per_year,
        aum_cv,
        wilson_low,
        wilson_high,
        claim,
        case
            when claim is null or month + {{ months('crossing_horizon_months') }} > last_complete_month then null
            when coalesce(n, 0) < band_min_customers then 'undecided'
            when claim = 'moves' and wilson_low > band_moves_min_share then 'holds'
            when claim = 'moves' and wilson_high < band_moves_min_share then 'does_not_hold'
            when claim = 'stable' and wilson_high < band_stable_max_share then 'holds'
            when claim = 'stable' and wilson_low > band_stable_max_share then 'does_not_hold'
            else 'undecided'
        end as verdict
    from judged
)

select * from fct_tier_band_stability
