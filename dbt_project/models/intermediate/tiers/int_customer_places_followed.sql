{{ config(materialized='view') }}
-- The reviews that decide in the present belief, each with the one before. Most customers are always in one place: only those
-- who move are put in order, of the others there is the first review alone.
with decisive as (
    select
        customer_id,
        spell_number,
        month,
        place
    from {{ ref('int_customer_months_placed') }}
    where is_in_force and is_review and may_decide
),

customers as (
    select
        customer_id,
        min(month) as first_month,
        min(spell_number) as first_spell,
        min(place) as lowest_place,
        coalesce(min(place) <> max(place), false) or min(spell_number) <> max(spell_number) as moves
    from decisive
    group by customer_id
),

customer_places_followed as (
    select
        decisive.*,
        lag(place) over by_customer as place_before,
        lag(spell_number) over by_customer as spell_before
    from decisive
    where
        customer_id in (
            select customer_id from customers
            where moves
        )
    window by_customer as (partition by customer_id order by month asc nulls first)
    union all
    select
        customer_id,
        first_spell as spell_number,
        first_month as month,
        lowest_place as place,
        cast(null as integer) as place_before,
        cast(null as bigint) as spell_before
    from customers
    where not moves
)

select * from customer_places_followed
