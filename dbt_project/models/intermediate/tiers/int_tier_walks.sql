-- Review by review: what is held after each, and the misses that grace has forgiven so far (rules 9 to 14).
with recursive steps as (
    select * from {{ ref('int_tier_steps') }}
),

ladder as (
    select * from {{ ref('int_tier_ladder') }}
),

walks (
    belief_number, customer_id, spell_number, step_number, is_review, month, known_at, policy_version, tier_code,
    misses, best_rank, best_code, misses_ended
) as (
    select
        belief_number,
        customer_id,
        spell_number,
        cast(0 as bigint),
        false,
        cast(null as date),
        cast(null as timestamp),
        policy_version,
        tier_code,
        cast(0 as integer),
        cast(null as integer),
        cast(null as varchar),
        cast(0 as integer)
    from {{ ref('int_tier_walk_starts') }}
    union all
    select
        belief_number,
        customer_id,
        spell_number,
        step_number,
        is_review,
        month,
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
            steps.*,
            steps.tier_code as rated_code,
            walks.tier_code as held_code,
            held.landing_rule,
            walks.misses as misses_before,
            walks.misses + 1 as misses,
            coalesce(steps.tier_rank < held.tier_rank, false) as is_miss,
            coalesce(steps.is_review and steps.tier_rank < held.tier_rank and walks.misses + 1 >= held.losing_miss, false) as is_lost,
            case
                when not steps.is_review then walks.best_rank
                when walks.misses > 0 then greatest(walks.best_rank, steps.tier_rank)
                else steps.tier_rank
            end as best_rank,
            case
                when not steps.is_review or (walks.misses > 0 and walks.best_rank >= steps.tier_rank) then walks.best_code
                else steps.tier_code
            end as best_code
        from walks
        inner join steps
            on
                walks.belief_number = steps.belief_number
                and walks.customer_id = steps.customer_id
                and walks.spell_number = steps.spell_number
                and walks.step_number + 1 = steps.step_number
                -- A grace period is finished by the version under which it began.
                and case when walks.misses > 0 then steps.policy_version = walks.policy_version else steps.is_in_force end
        left join ladder as held
            on
                steps.policy_version = held.policy_version
                and walks.tier_code = held.tier_code
    ) as stepped
)

select * from walks
where is_review
