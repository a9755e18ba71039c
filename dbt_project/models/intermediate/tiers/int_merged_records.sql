-- While two records are one person, the record onboarded later is part of the other: from when to when.
with first_spells as (
    select
        customer_id,
        min(spell_from) as onboarded_on
    from {{ ref('int_customer_spells') }}
    group by customer_id
),

pairs as (
    select
        case when is_linked_later then linked_customer_id else customer_id end as customer_id,
        valid_from,
        valid_to,
        known_at,
        end_known_at
    from (
        select
            links.*,
            linked.onboarded_on > own.onboarded_on
            or (linked.onboarded_on = own.onboarded_on and links.linked_customer_id > links.customer_id) as is_linked_later
        from {{ ref('int_customer_links_latest') }} as links
        inner join first_spells as own
            on links.customer_id = own.customer_id
        inner join first_spells as linked
            on links.linked_customer_id = linked.customer_id
        where links.link_type = 'same_person' and links.customer_id <> links.linked_customer_id
    ) as links
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
