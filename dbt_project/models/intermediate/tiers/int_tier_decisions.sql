-- Everything that may set a customer's tier, one row a day at most: the start of a spell, a month's rating, an exit.
with spells as (
    select * from {{ ref('int_customer_spells') }}
),

first_month as (
    select min(month) as month from {{ ref('int_months') }}
),

lowest as (
    select
        policy_version,
        tier_code,
        tier_rank
    from {{ ref('int_tier_ladder') }}
    where tier_rank = 1
),

openings as (
    select
        spells.customer_id,
        spells.spell_from as decided_for,
        lowest.tier_code,
        lowest.tier_rank,
        lowest.policy_version,
        case when spells.spell_number > 1 then 'returned' else 'account_opened' end as reason,
        spells.opening_known_at as known_from
    from spells
    cross join lowest
    inner join first_month
        on spells.spell_from >= first_month.month
),

ratings as (
    select
        rated.customer_id,
        cast(rated.month + {{ months('rated.up_lag_months') }} as date) as decided_for,
        rated.tier_code,
        rated.tier_rank,
        rated.policy_version,
        'month_rated' as reason,
        rated.known_at as known_from
    from {{ ref('int_customer_months_rated') }} as rated
    inner join spells
        on
            rated.customer_id = spells.customer_id
            -- The spell that was rated must still run when the rating takes effect.
            and spells.spell_from <= rated.month_end
            and spells.spell_from < cast(rated.month + {{ months('rated.up_lag_months') }} as date)
            and spells.spell_to > cast(rated.month + {{ months('rated.up_lag_months') }} as date)
    where cast(rated.month + {{ months('rated.up_lag_months') }} as date) <= {{ as_of() }}
),

starts as (
    select
        customer_id,
        spell_from
    from spells
),

exits as (
    select
        spells.customer_id,
        spells.spell_to as decided_for,
        cast(null as varchar) as tier_code,
        cast(null as integer) as tier_rank,
        cast(null as varchar) as policy_version,
        'relationship_closed' as reason,
        spells.closing_known_at as known_from
    from spells
    inner join first_month
        on spells.spell_to > first_month.month
    left join starts
        on
            spells.customer_id = starts.customer_id
            and spells.spell_to = starts.spell_from
    where
        spells.spell_to <= {{ as_of() }}
        -- Back on the very day it closed: the relationship never ended.
        and starts.customer_id is null
),

tier_decisions as (
    select * from openings
    union all
    select * from ratings
    union all
    select * from exits
)

select * from tier_decisions
