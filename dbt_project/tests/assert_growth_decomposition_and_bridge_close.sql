-- Growth of assets is growth of heads plus growth per head, as published; entrants, leavers and stayers explain both ends, and
-- both ends are those of the flows.
select
    growth.month,
    growth.tier_code
from {{ ref('fct_growth_mismatch') }} as growth
inner join {{ ref('fct_tier_flows') }} as flows
    on
        growth.month = flows.month
        and growth.tier_code = flows.tier_code
where
    growth.aum_growth <> growth.count_growth + growth.average_growth
    or (growth.aum_growth is null) <> (growth.average_growth is null)
    or growth.closing_count <> growth.opening_count + growth.entrants - growth.leavers
    or growth.stayers <> growth.opening_count - growth.leavers
    or growth.closing_amount
    <> growth.opening_amount + growth.entrants_amount - growth.leavers_amount + growth.stayers_change_amount
    or growth.opening_count <> flows.opening_count
    or growth.closing_amount <> flows.closing_amount
