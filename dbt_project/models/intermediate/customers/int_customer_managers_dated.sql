-- The primary manager from day to day. An assignment holds as the last delivery that names it says, and ends at the latest with
-- the first delivery that no longer names it. Of several the one assigned last, then the one named last.
with deliveries as (
    select
        business_date,
        lead(business_date, 1, {{ end_of_time() }}) over (order by business_date asc nulls first) as next_business_date
    from (select distinct business_date from {{ ref('stg_crm__rm_assignments') }}) as dates
    where business_date <= {{ as_of() }}
),

numbered as (
    select
        assignments.customer_id,
        assignments.rm_id,
        assignments.valid_from,
        least(coalesce(assignments.valid_to, {{ end_of_time() }}), deliveries.next_business_date) as valid_to,
        assignments.business_date,
        row_number() over (
            partition by assignments.customer_id, assignments.rm_id, assignments.valid_from
            order by assignments.business_date desc nulls last
        ) as recency
    from {{ ref('stg_crm__rm_assignments') }} as assignments
    inner join deliveries
        on assignments.business_date = deliveries.business_date
    where assignments.assignment_role = 'primary'
),

assignments as (
    select * from numbered
    where recency = 1 and valid_from < valid_to
),

dates as (
    select
        customer_id,
        valid_from
    from assignments
    union
    select
        customer_id,
        valid_to as valid_from
    from assignments
),

spans as (
    select
        customer_id,
        valid_from,
        lead(valid_from) over (partition by customer_id order by valid_from asc nulls first) as valid_to
    from dates
),

ranked as (
    select
        spans.*,
        assignments.rm_id,
        row_number() over (
            partition by spans.customer_id, spans.valid_from
            order by assignments.valid_from desc nulls last, assignments.business_date desc nulls last, assignments.rm_id asc nulls last
        ) as place
    from spans
    inner join assignments
        on
            spans.customer_id = assignments.customer_id
            and spans.valid_from >= assignments.valid_from
            and spans.valid_from < assignments.valid_to
),

customer_managers_dated as (
    select
        customer_id,
        rm_id,
        valid_from,
        valid_to
    from ranked
    where place = 1
)

select * from customer_managers_dated
