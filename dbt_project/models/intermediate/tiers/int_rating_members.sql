-- Whose amounts count for a customer beside their own, month by month: other records of the same person; under a ladder
-- that rates households, also whoever links connect, directly or through others.
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

reached (month, rating_kind, customer_id, member_id) as (
    select
        month,
        rating_kind,
        customer_id,
        member_id
    from edges
    union
    select
        reached.month,
        reached.rating_kind,
        reached.customer_id,
        edges.member_id
    from reached
    inner join edges
        on
            reached.month = edges.month
            and reached.rating_kind = edges.rating_kind
            and reached.member_id = edges.customer_id
),

own as (
    select * from reached
    where rating_kind = 'own'
),

-- Who has left the bank counts in nobody's household, whatever is left in the accounts.
there as (
    select distinct
        months.month,
        spells.customer_id
    from {{ ref('int_customer_spells') }} as spells
    inner join months
        on
            spells.spell_from <= months.month_end
            and spells.spell_to > months.month_end
),

rating_members as (
    select reached.*
    from reached
    left join own
        on
            reached.month = own.month
            and reached.customer_id = own.customer_id
            and reached.member_id = own.member_id
    left join there
        on
            reached.month = there.month
            and reached.member_id = there.customer_id
    where
        reached.customer_id <> reached.member_id
        and (own.member_id is not null or there.customer_id is not null)
)

select * from rating_members
