-- Every account's money belongs to somebody, once, on every day.
with holders as (
    select * from {{ ref('int_position_holders') }}
),

starts as (
    select distinct
        position_id,
        valid_from as day
    from holders
)

select
    starts.position_id,
    starts.day,
    sum(holders.share_fraction) as shares
from starts
inner join holders
    on
        starts.position_id = holders.position_id
        and starts.day >= holders.valid_from
        and starts.day < holders.valid_to
group by starts.position_id, starts.day
having sum(holders.share_fraction) <> 1
