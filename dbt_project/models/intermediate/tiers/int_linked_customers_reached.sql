-- Whom links connect with a customer, directly or through others, month by month: records of the same person; under a ladder that
-- rates households, also those of a household.
with recursive months as (
    select
        month,
        month_end
    from {{ ref('int_months') }}
),

kinds as (
    select 'own' as rating_kind
    union all
    select distinct rating_scope as rating_kind
    from {{ ref('int_rating_windows') }}
    where rating_scope = 'household'
),

directed as (
    select
        customer_id,
        linked_customer_id,
        link_type,
        valid_from,
        valid_to
    from {{ ref('int_customer_links_latest') }}
    union all
    select
        linked_customer_id as customer_id,
        customer_id as linked_customer_id,
        link_type,
        valid_from,
        valid_to
    from {{ ref('int_customer_links_latest') }}
),

edges as (
    select
        months.month,
        kinds.rating_kind,
        directed.customer_id,
        directed.linked_customer_id as member_id
    from directed
    inner join kinds
        on directed.link_type = 'same_person' or directed.link_type = kinds.rating_kind
    inner join months
        on
            directed.valid_from <= months.month_end
            and directed.valid_to > months.month_end
),

linked_customers_reached (month, rating_kind, customer_id, member_id) as (
    select
        month,
        rating_kind,
        customer_id,
        member_id
    from edges
    union
    select
        linked_customers_reached.month,
        linked_customers_reached.rating_kind,
        linked_customers_reached.customer_id,
        edges.member_id
    from linked_customers_reached
    inner join edges
        on
            linked_customers_reached.month = edges.month
            and linked_customers_reached.rating_kind = edges.rating_kind
            and linked_customers_reached.member_id = edges.customer_id
)

select * from linked_customers_reached
where customer_id <> member_id
