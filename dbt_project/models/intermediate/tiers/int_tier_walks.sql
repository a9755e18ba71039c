-- Review by review: what is held after each, and the misses that grace has forgiven so far (rules 9 to 14).
with recursive first_month as (
    select min(month) as month from {{ ref('int_months') }}
),

ladder as (
    select * from {{ ref('int_tier_ladder') }}
),

reviews as (
    select * from {{ ref('int_tier_reviews') }}
    where is_walked
),

-- Before its first review, a spell that began in the warehouse's time is at the lowest tier; an older one has none.
starts as (
    select
        reviews.belief_number,
        reviews.customer_id,
        reviews.spell_number,
        reviews.policy_version,
        case when spells.spell_from >= first_month.month then ladder.tier_code end as tier_code
    from reviews
    inner join {{ ref('int_spells_believed') }} as spells
        on
            reviews.belief_number = spells.belief_number
            and reviews.customer_id = spells.customer_id
            and reviews.spell_number = spells.spell_number
    inner join ladder
        on
            reviews.policy_version = ladder.policy_version
            and ladder.tier_rank = 1
    cross join first_month
    where reviews.step_number = 1
),

walks (
    belief_number, customer_id, spell_number, step_number, is_review, month, month_end, known_at, policy_version, tier_code,
    misses, best_rank, best_code, misses_ended
) as (
    select
        belief_number,
        customer_id,
        spell_number,
        cast(0 as bigint),
        false,
        cast(null as date),
        cast(null as date),
        cast(null as timestamp),
        policy_version,
        tier_code,
        cast(0 as integer),
        cast(null as integer),
        cast(null as varchar),
        cast(0 as integer)
    from starts
    union all
    select
        belief_number,
        customer_id,
        spell_number,
        step_number,
        is_review,
        month,
        month_end,
        known_at,
        policy_version,
        case
            when not is_review then held_code
            when not is_miss then rated_code
            when not is_lost then held_code
            when landing_rule = 'max' then best_code
            else rated_code
        end,
        case when not is_review then misses_before when is_miss and not is_lost then misses else 0 end,
        best_rank,
        best_code,
        case when is_lost then misses else 0 end
    from (
        select
            reviews.belief_number,
            reviews.customer_id,
            reviews.spell_number,
            reviews.step_number,
            rated.is_review,
            reviews.month,
            reviews.month_end,
            reviews.known_at,
            rated.policy_version,
            rated.tier_code as rated_code,
            walks.tier_code as held_code,
            held.landing_rule,
            walks.misses as misses_before,
            walks.misses + 1 as misses,
            coalesce(rated.tier_rank < held.tier_rank, false) as is_miss,
            coalesce(rated.is_review and rated.tier_rank < held.tier_rank and walks.misses + 1 >= held.losing_miss, false) as is_lost,
            case
                when not rated.is_review then walks.best_rank
                when walks.misses > 0 then greatest(walks.best_rank, rated.tier_rank)
                else rated.tier_rank
            end as best_rank,
            case
                when not rated.is_review or (walks.misses > 0 and walks.best_rank >= rated.tier_rank) then walks.best_code
                else rated.tier_code
            end as best_code
        from walks
        inner join reviews
            on
                walks.belief_number = reviews.belief_number
                and walks.customer_id = reviews.customer_id
                and walks.spell_number = reviews.spell_number
                and walks.step_number + 1 = reviews.step_number
        inner join {{ ref('int_ratings_believed') }} as rated
            on
                reviews.belief_number = rated.belief_number
                and reviews.customer_id = rated.customer_id
                and reviews.month = rated.month
                -- A grace period is finished by the version under which it began.
                and rated.policy_version = case when walks.misses > 0 then walks.policy_version else reviews.policy_version end
        left join ladder as held
            on
                rated.policy_version = held.policy_version
                and walks.tier_code = held.tier_code
    ) as stepped
)

select * from walks
where is_review
