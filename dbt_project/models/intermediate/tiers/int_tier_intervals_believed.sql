{{ config(materialized='view') }}
-- The intervals as they were believed: as open until the change that ends them was known, then as ended (rules 17 to 19).
{%- set told %}
        belief_number,
        customer_id,
        valid_from,
        place,
        previous_rank,
        movement,
        reason,
        may_be_told_again
{%- endset %}

with intervals as (
    select * from {{ ref('int_tier_intervals') }}
),

tier_intervals_believed as (
    select
        {{ told }},
        {{ end_of_time() }} as valid_to,
        known_from,
        least(coalesce(next_known_from, believed_to), believed_to) as known_to
    from intervals
    where moment is null
    union all
    select
        {{ told }},
        next_valid_from as valid_to,
        next_known_from as known_from,
        believed_to as known_to
    from intervals
    where next_valid_from is not null and moment is null
    union all
    -- Told moment by moment.
    select
        {{ told }},
        coalesce(next_valid_from, {{ end_of_time() }}) as valid_to,
        greatest(moment, believed_from) as known_from,
        least(coalesce(next_moment, believed_to), believed_to) as known_to
    from intervals
    where moment is not null
)

select * from tier_intervals_believed
where known_from < known_to
