-- While records are one person, directly or through others, each but the one onboarded first is part of that one: from when
-- to when.
with pairs as (
    select * from {{ ref('int_person_records_linked') }}
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
