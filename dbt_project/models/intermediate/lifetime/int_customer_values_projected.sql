-- Base, growth and potential of who is here at a month's end, in each scenario. A and W are the customer's assets and wealth stock: the
-- trend earns on A until the wallet is full and on all of W - A from then on; what it leaves is captured at the cell's pace.
with prospects as (
    select
        prospects.*,
        filled.last_open_month,
        cast({{ exact_ratio('prospects.contribution_avoidable_year_amount', 'prospects.months_observed') }} as double) as monthly_contribution,
        cast(prospects.path_assets_amount as double) as assets,
        cast(prospects.wealth_stock_amount as double) as wealth,
        cast(prospects.path_margin as double) as margin,
        cast(prospects.median_margin as double) as cell_margin
    from {{ ref('int_customer_prospects_weighed') }} as prospects
    left join {{ ref('int_customer_wallets_filled') }} as filled
        on prospects.customer_id = filled.customer_id and prospects.month = filled.month
),

projected as (
    select
        prospects.customer_id,
        prospects.month,
        prospects.cell,
        prospects.is_by_cell_alone,
        cast(prospects.path_growth_steps * parameters.growth_step_rate as decimal(9, 6)) as trend_rate,
        learned.retention_12m,
        case
            when prospects.last_open_month >= parameters.value_horizon_months
                then cast(floor(round(prospects.assets * factors.horizon_level * 100, 4)) / 100 as decimal(18, 2))
            when factors.horizon_level is not null then prospects.wealth_stock_amount
        end as horizon_assets_amount,
        factors.horizon_captured,
        {%- for name in value_scenarios() %}
        cast(round(prospects.monthly_contribution * factors.weight_{{ name }}, 2) as decimal(18, 2)) as base_{{ name }},
        cast(round(
            (prospects.assets * factors.growing_{{ name }} + (prospects.wealth - prospects.assets) * factors.full_{{ name }}) * prospects.margin, 2
        ) as decimal(18, 2)) as growth_{{ name }},
        cast(round(
            (prospects.wealth * factors.captured_{{ name }} - prospects.assets * factors.captured_level_{{ name }}) * prospects.cell_margin, 2
        ) as decimal(18, 2)) as potential_{{ name }},
        {%- endfor %}
        prospects.wealth_stock_amount
    from prospects
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on prospects.month = parameters.month
    left join {{ ref('int_value_cells_learned') }} as learned
        on prospects.month = learned.month and prospects.cell = learned.cell
    left join {{ ref('int_value_factors') }} as factors
        on
            prospects.month = factors.month
            and prospects.cell = factors.cell
            and prospects.path_growth_steps = factors.growth_steps
            and prospects.last_open_month = factors.last_open_month
),

customer_values_projected as (
    select
        projected.*,
        {%- for name in value_scenarios() %}
        base_{{ name }} + growth_{{ name }} + potential_{{ name }} as lifetime_{{ name }},
        {%- endfor %}
        -- Both rounded down: together they never exceed the wealth stock.
        cast(floor(round(cast(wealth_stock_amount - horizon_assets_amount as double) * horizon_captured * 100, 4)) / 100 as decimal(18, 2))
            as horizon_captured_amount
    from projected
)

select * from customer_values_projected
