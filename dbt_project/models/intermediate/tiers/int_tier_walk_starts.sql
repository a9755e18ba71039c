-- What is held before the first review of a spell to be walked through: the lowest tier if it began in the warehouse's time, else
-- none.
select
    steps.belief_number,
    steps.customer_id,
    steps.spell_number,
    steps.policy_version,
    case when spells.spell_from >= first_month.month then ladder.tier_code end as tier_code
from {{ ref('int_tier_steps') }} as steps
inner join {{ ref('int_spells_believed') }} as spells
    on
        steps.belief_number = spells.belief_number
        and steps.customer_id = spells.customer_id
        and steps.spell_number = spells.spell_number
inner join {{ ref('int_tier_ladder') }} as ladder
    on
        steps.policy_version = ladder.policy_version
        and ladder.tier_rank = 1
cross join (select min(month) as month from {{ ref('int_months') }}) as first_month
where steps.step_number = 1 and steps.is_in_force
