with rated as (
    select * from {{ ref('int_customer_months_rated') }}
    where is_in_force
),

states as (
    select states.*
    from {{ ref('int_tier_states') }} as states
    inner join {{ ref('int_beliefs') }} as beliefs
        on states.belief_number = beliefs.belief_number
    where beliefs.is_present
),

-- What a review decided is held until the next one of the same spell.
held as (
    select
        rated.*,
        last_value(states.place ignore nulls) over by_spell as held_place,
        coalesce(last_value(states.misses_in_grace ignore nulls) over by_spell, 0) as misses_in_grace
    from rated
    left join states
        on
            rated.customer_id = states.customer_id
            and rated.month = states.month
    window by_spell as (
        partition by rated.customer_id, rated.spell_number
        order by rated.month asc nulls first
        rows between unbounded preceding and current row
    )
),

fct_customer_tiers_monthly as (
    select
        keys.customer_key,
        held.month,
        held.policy_version,
        held.rating_amount,
        case when held.is_fed then held.tier_code else ladder.tier_code end as tier_code,
        case when held.is_fed then held.tier_rank else ladder.tier_rank end as tier_rank,
        held.next_threshold_amount - held.rating_amount as next_tier_gap_amount,
        held.rating_amount >= held.private_threshold_amount as is_qualified,
        coalesce(held.rating_amount >= held.next_threshold_amount - held.next_near_band_amount, false) as is_near_threshold,
        coalesce(held.rating_amount < held.threshold_amount + held.near_band_amount, false) as is_at_risk,
        case
            when held.rating_amount < held.private_threshold_amount then null
            when held.rating_amount <= held.volatile_to_amount then 'volatile'
            when held.rating_amount > held.volatile_to_amount then 'stable'
        end as stability_band,
        ladder.tier_code as held_tier_code,
        ladder.tier_rank as held_tier_rank,
        held.misses_in_grace,
        held.misses_in_grace >= held.watch_misses as is_on_watch,
        held.is_partial_month,
        not held.is_fed as is_feed_missing
    from held
    inner join {{ ref('int_customer_keys') }} as keys
        on held.customer_id = keys.customer_id
    left join {{ ref('int_tier_ladder') }} as ladder
        on held.held_place = ladder.place
)

select * from fct_customer_tiers_monthly
