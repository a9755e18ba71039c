-- Everything that may change a customer's state, with the state from that day on: becoming a prospect, each opening and closing by its
-- day, and what each month's end decided. What was before the first month is told as of its first day.
with relationships as (
    select * from {{ ref('int_customer_relationships') }}
),

spells as (
    select
        relationships.*,
        greatest(relationships.spell_from, relationships.first_month) as valid_from,
        parameters.lifecycle_won_back_months,
        parameters.lifecycle_onboarding_months
    from relationships
    inner join {{ ref('int_lifecycle_parameters_dated') }} as parameters
        on greatest({{ month_start('relationships.spell_from') }}, relationships.first_month) = parameters.month
),

openings as (
    select
        customer_id,
        valid_from,
        relationship_number,
        case
            when relationship_number > 1 and valid_from < relationship_from + {{ months('lifecycle_won_back_months') }} then 'won_back'
            when relationship_number = 1 and valid_from < relationship_from + {{ months('lifecycle_onboarding_months') }} then 'onboarding'
            else 'mature'
        end as state,
        case
            when spell_from < first_month then 'history_begins'
            when spell_from > relationship_from then 'reopened'
            when relationship_number > 1 then 'returned'
            else 'opened'
        end as reason
    from spells
    where spell_to > first_month
),

closings as (
    select
        customer_id,
        greatest(spell_to, first_month) as valid_from,
        relationship_number,
        'lost' as state,
        case when spell_to < first_month then 'history_begins' else 'closed' end as reason
    from relationships
    where is_closed and coalesce(next_spell_from > first_month, true)
),

lifecycle_states as (
    select * from {{ ref('int_lifecycle_prospects') }}
    union all
    select * from openings
    union all
    select * from closings
    union all
    select
        customer_id,
        valid_from,
        relationship_number,
        state,
        case state
            when 'dormant' then 'silent' when 'declining' then 'assets_fell' when 'growing' then 'assets_grew'
            when 'mature' then mature_reason else 'opened'
        end as reason
    from {{ ref('int_lifecycle_months_decided') }}
)

select * from lifecycle_states
