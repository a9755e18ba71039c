-- Every account's money belongs to somebody, once.
select
    position_id,
    sum(share_fraction) as shares
from {{ ref('int_position_holders') }}
group by position_id
having sum(share_fraction) <> 1
