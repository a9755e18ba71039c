-- Records of one person, directly or through others: each with every one that was onboarded before it, from when to when.
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

person_records_linked as (
    select
        reached.*,
        others.onboarded_on as other_onboarded_on
    from reached
    inner join first_spells as own
        on reached.customer_id = own.customer_id
    inner join first_spells as others
        on reached.other_id = others.customer_id
    where
        others.onboarded_on < own.onboarded_on
        or (others.onboarded_on = own.onboarded_on and reached.other_id < reached.customer_id)
)

select * from person_records_linked
