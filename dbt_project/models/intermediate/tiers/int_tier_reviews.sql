-- Reviews that place a customer elsewhere than the one before, or first. Those of the present belief, nearly all, are
-- followed apart.
with past as (
    select
        ratings.*,
        lag(place) over by_customer as place_before,
        lag(spell_number) over by_customer as spell_before
    from {{ beliefs('ratings') }} as ratings
    where is_in_force and is_review and belief_number in (select belief_number from {{ ref('int_beliefs') }})
    window by_customer as (partition by belief_number, customer_id order by month asc nulls first)
),

compared as (
    select
        belief_number,
        customer_id,
        spell_number,
        month,
        known_at,
        place,
        place_before,
        spell_before
    from past
    union all
    select
        beliefs.belief_number,
        present.customer_id,
        present.spell_number,
        present.month,
        months.known_at,
        present.place,
        present.place_before,
        present.spell_before
    from {{ ref('int_customer_places_followed') }} as present
    inner join {{ ref('int_months') }} as months
        on present.month = months.month
    inner join {{ ref('int_beliefs') }} as beliefs
        on beliefs.is_present
),

tier_reviews as (
    select
        belief_number,
        customer_id,
        spell_number,
        month,
        known_at,
        place,
        case when spell_before = spell_number then place_before end as previous_place
    from compared
    where place is distinct from place_before or spell_number is distinct from spell_before
)

select * from tier_reviews
