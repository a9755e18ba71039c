with customer_months as (
    select * from {{ ref('int_customer_months') }}
),

averages as (
    select
        customer_id,
        month,
        sum(adb_amount) as rating_amount
    from {{ ref('int_customer_family_averages') }}
    group by customer_id, month
),

rated as (
    select
        customer_months.*,
        cast(coalesce(averages.rating_amount, 0) as decimal(18, 2)) as rating_amount
    from customer_months
    left join averages
        on
            customer_months.customer_id = averages.customer_id
            and customer_months.month = averages.month
),

customer_months_rated as (
    select
        rated.*,
        ladder.policy_version,
        ladder.tier_code,
        ladder.tier_rank,
        ladder.threshold_amount,
        ladder.near_band_amount,
        ladder.next_threshold_amount,
        ladder.next_near_band_amount,
        ladder.private_threshold_amount,
        ladder.volatile_to_amount,
        ladder.up_lag_months
    from rated
    inner join {{ ref('int_tier_ladder') }} as ladder
        on
            rated.month >= ladder.effective_from
            and rated.month < ladder.effective_to
            and rated.rating_amount >= ladder.threshold_amount
            and (ladder.next_threshold_amount is null or rated.rating_amount < ladder.next_threshold_amount)
)

select * from customer_months_rated
