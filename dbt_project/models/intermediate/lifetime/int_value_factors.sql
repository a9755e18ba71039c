-- What one unit is worth over a scenario's months ahead, for each cell, trend and last open month that somebody has: so that no
-- customer's months ahead are written out.
--   weight    a unit a month
--   growing   what the trend adds to a unit of assets while the wallet is open
--   full      a unit a month once it is not
--   captured  a unit of the wallet, captured while it is open; captured_level: of assets as they grow
-- Each month's term is rounded to a decimal, so that their sum is the same in any order.
with wanted as (
    select distinct
        prospects.month,
        prospects.cell,
        prospects.path_growth_steps as growth_steps,
        filled.last_open_month
    from {{ ref('int_customer_prospects_weighed') }} as prospects
    inner join {{ ref('int_customer_wallets_filled') }} as filled
        on prospects.customer_id = filled.customer_id and prospects.month = filled.month
    where prospects.cell is not null
),

paths as (
    select
        month,
        growth_steps,
        h,
        cast(asset_level as double) as level
    from {{ ref('int_growth_paths') }}
),

terms as (
    select
        wanted.*,
        paths.h,
        {%- for name in value_scenarios() %}
        survivals.weight_{{ name }},
        cast(round(cast(survivals.weight_{{ name }} as double) * (paths.level - 1), 15) as decimal(18, 15)) as growing_{{ name }},
        survivals.captured_{{ name }},
        cast(round(cast(survivals.captured_{{ name }} as double) * paths.level, 15) as decimal(18, 15)) as captured_level_{{ name }},
        {%- endfor %}
        case when survivals.is_horizon then paths.level end as horizon_level,
        case when survivals.is_horizon then survivals.captured_share end as horizon_captured,
        paths.h <= wanted.last_open_month as is_open
    from wanted
    inner join paths
        on wanted.month = paths.month and wanted.growth_steps = paths.growth_steps
    inner join {{ ref('int_survivals_discounted') }} as survivals
        on wanted.month = survivals.month and wanted.cell = survivals.cell and paths.h = survivals.h
),

value_factors as (
    select
        month,
        cell,
        growth_steps,
        last_open_month,
        {%- for name in value_scenarios() %}
        cast(sum(weight_{{ name }}) as double) as weight_{{ name }},
        cast(sum(case when is_open then growing_{{ name }} else 0 end) as double) as growing_{{ name }},
        cast(sum(case when is_open then 0 else weight_{{ name }} end) as double) as full_{{ name }},
        cast(sum(case when is_open then captured_{{ name }} end) as double) as captured_{{ name }},
        cast(sum(case when is_open then captured_level_{{ name }} end) as double) as captured_level_{{ name }},
        {%- endfor %}
        max(horizon_level) as horizon_level,
        max(horizon_captured) as horizon_captured
    from terms
    group by month, cell, growth_steps, last_open_month
)

select * from value_factors
