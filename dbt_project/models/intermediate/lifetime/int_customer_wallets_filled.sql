-- The last month ahead in which a customer's assets, as they grow, leave something of the wealth stock elsewhere.
select
    prospects.customer_id,
    prospects.month,
    paths.h as last_open_month
from {{ ref('int_customer_prospects_weighed') }} as prospects
inner join {{ ref('int_growth_paths') }} as paths
    on
        prospects.month = paths.month
        and prospects.path_growth_steps = paths.growth_steps
        and prospects.room > paths.room_from
        and prospects.room <= paths.room_to
