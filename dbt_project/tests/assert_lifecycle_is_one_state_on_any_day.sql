-- No gap, no overlap, one open row for each customer, and neighbours that differ.
with intervals as (
    select
        *,
        lag(valid_to) over by_customer as previous_to,
        lag(state) over by_customer as state_before,
        lead(valid_from) over by_customer as next_from
    from {{ ref('fct_customer_lifecycle_history') }}
    window by_customer as (partition by customer_key order by valid_from asc nulls first)
),

customers as (
    select distinct customer_id from {{ ref('int_customer_relationships') }}
)

select
    customer_key,
    valid_from
from intervals
where
    valid_from >= valid_to
    or previous_to <> valid_from
    or state_before = state
    or previous_state is distinct from state_before
    or (next_from is null and valid_to <> {{ end_of_time() }})
union all
select
    keys.customer_key,
    cast(null as date) as valid_from
from customers
inner join {{ ref('int_customer_keys') }} as keys
    on customers.customer_id = keys.customer_id
left join intervals
    on
        keys.customer_key = intervals.customer_key
        and intervals.valid_to = {{ end_of_time() }}
group by keys.customer_key
having count(intervals.customer_key) <> 1
