-- What a customer's future is counted from. Who has no assets here is taken for the middle customer of the cell, as far as
-- the wealth stock allows; the own margin leans on the cell's while few months are known.
with customers as (
    select
        margins.*,
        cells.cell,
        wallets.wealth_stock_amount,
        learned.median_margin,
        coalesce(margins.assets_amount <= 0, false) as is_by_cell_alone,
        case
            when margins.assets_amount > 0 then margins.assets_amount
            when learned.median_assets_amount is not null then least(learned.median_assets_amount, wallets.wealth_stock_amount)
        end as path_assets_amount,
        case when margins.assets_amount > 0 then margins.growth_steps else coalesce(learned.median_growth_steps, 0) end as path_growth_steps
    from {{ ref('int_customer_margins_earned') }} as margins
    inner join {{ ref('int_customer_cells_pooled') }} as cells
        on margins.customer_id = cells.customer_id and margins.month = cells.month
    inner join {{ ref('int_customer_wallets_estimated') }} as wallets
        on margins.customer_id = wallets.customer_id and margins.month = wallets.month
    left join {{ ref('int_value_cells_learned') }} as learned
        on cells.month = learned.month and cells.cell = learned.cell
),

customer_prospects_weighed as (
    select
        customers.*,
        cast(round(
            case
                when is_by_cell_alone or own_margin is null then median_margin
                else
                    (own_margin * months_observed + median_margin * parameters.margin_prior_months)
                    / (months_observed + parameters.margin_prior_months)
            end, 12
        ) as decimal(14, 12)) as path_margin,
        case when path_assets_amount > 0 then cast(wealth_stock_amount as double) / path_assets_amount else 1 end as room
    from customers
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on customers.month = parameters.month
)

select * from customer_prospects_weighed
