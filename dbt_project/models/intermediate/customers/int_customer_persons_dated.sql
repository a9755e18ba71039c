-- Which record a person was onboarded with first, for the days on which a record is merged into it.
with pairs as (
    select * from {{ ref('int_person_records_linked') }}
),

dates as (
    select
        customer_id,
        valid_from
    from pairs
    union
    select
        customer_id,
        valid_to as valid_from
    from pairs
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
        pairs.other_id,
        row_number() over (
            partition by spans.customer_id, spans.valid_from
            order by pairs.other_onboarded_on asc nulls last, pairs.other_id asc nulls last
        ) as place
    from spans
    inner join pairs
        on
            spans.customer_id = pairs.customer_id
            and spans.valid_from >= pairs.valid_from
            and spans.valid_from < pairs.valid_to
),

customer_persons_dated as (
    select
        customer_id,
        other_id as first_record_id,
        valid_from,
        valid_to
    from ranked
    where place = 1
)

select * from customer_persons_dated
