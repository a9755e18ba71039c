-- In every month ahead, not only at the horizon: assets as they grow, and of what they leave the share that is captured.
with ahead as (
    select
        prospects.customer_id,
        prospects.month,
        paths.h,
        cast(prospects.wealth_stock_amount as double) as wealth,
        case
            when paths.h <= filled.last_open_month then prospects.path_assets_amount * cast(paths.asset_level as double)
            else prospects.wealth_stock_amount
        end as assets,
        survivals.captured_share
    from {{ ref('int_customer_prospects_weighed') }} as prospects
    inner join {{ ref('int_customer_wallets_filled') }} as filled
        on prospects.customer_id = filled.customer_id and prospects.month = filled.month
    inner join {{ ref('int_growth_paths') }} as paths
        on prospects.month = paths.month and prospects.path_growth_steps = paths.growth_steps
    inner join {{ ref('int_survivals_discounted') }} as survivals
        on prospects.month = survivals.month and prospects.cell = survivals.cell and paths.h = survivals.h
    -- One month: a row for every customer and month ahead of all history would be the largest table of the warehouse.
    where prospects.month = (select max(month) from {{ ref('int_months') }})
)

select *
from ahead
where assets + greatest(wealth - assets, 0) * captured_share > wealth + 0.000001 or captured_share not between 0 and 1
