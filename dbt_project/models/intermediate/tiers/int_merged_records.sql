-- While records are one person, directly or through others, each but the one onboarded first is part of that one: from when
-- to when.
with recursive first_spells as (
    select
        customer_id,
        min(spell_from) as onboarded_on
    from {{ ref('int_customer_spells') }}
    group by customer_id
),

links as (
    {% for one, other in [('customer_id', 'linked_customer_id'), ('linked_customer_id', 'customer_id')] -%}
    select
        {{ one }} as customer_id,
        {{ other }} as other_id,
        valid_from,
        valid_to,
        known_at,
        end_known_at
    from {{ ref('int_customer_links_latest') }}
    where link_type = 'same_person' and customer_id <> linked_customer_id
    {{ 'union' if not loop.last }}
    {% endfor %}
),

-- Through others for the days on which every link on the way holds; known when all of them are, ended when one of them is.
reached (customer_id, other_id, valid_from, valid_to, known_at, end_known_at) as (
    select * from links
    union
    select
        reached.customer_id,
        links.other_id,
        greatest(reached.valid_from, links.valid_from),
        least(reached.valid_to, links.valid_to),
        greatest(reached.known_at, links.known_at),
        case
            when reached.valid_to < links.valid_to then reached.end_known_at
            when reached.valid_to > links.valid_to then links.end_known_at
            else least(reached.end_known_at, links.end_known_at)
        end
    from reached
    inner join links
        on
            reached.other_id = links.customer_id
            and reached.customer_id <> links.other_id
            and reached.valid_from < links.valid_to
            and reached.valid_to > links.valid_from
),

pairs as (
    select reached.*
    from reached
    inner join first_spells as own
        on reached.customer_id = own.customer_id
    inner join first_spells as others
        on reached.other_id = others.customer_id
    where
        others.onboarded_on < own.onboarded_on
        or (others.onboarded_on = own.onboarded_on and reached.other_id < reached.customer_id)
),

-- Several links may say the same for days that overlap: one interval for each stretch of days.
stretches as (
    select
        pairs.*,
        valid_from <= max(valid_to) over (
            partition by customer_id
            order by valid_from asc nulls last, valid_to asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as goes_on
    from pairs
),

numbered as (
    select
        stretches.*,
        count(case when goes_on then null else 1 end) over (
            partition by customer_id
            order by valid_from asc nulls last, valid_to asc nulls last
            rows between unbounded preceding and current row
        ) as stretch
    from stretches
),

merged_records as (
    select
        customer_id,
        min(valid_from) as merged_from,
        max(valid_to) as merged_to,
        min(known_at) as merged_known_at,
        max(end_known_at) as unmerged_known_at
    from numbered
    group by customer_id, stretch
)

select * from merged_records
