-- What is usual in a cell: the middle customer's margin, trend and assets, of those who have assets here. Of an even number the
-- lower one of the middle two.
with cells as (
    select * from {{ ref('int_customer_cells_pooled') }}
),

members as (
    select
        cells.month,
        case widths.width
            when 3 then cells.own_cell
            when 2 then cells.tenure_cell
            when 1 then cells.tier_code
            else ''
        end as cell,
        margins.own_margin,
        margins.growth_steps,
        margins.assets_amount
    from cells
    inner join {{ ref('int_customer_margins_earned') }} as margins
        on cells.customer_id = margins.customer_id and cells.month = margins.month
    cross join (values (0), (1), (2), (3)) as widths (width)
    where margins.assets_amount > 0
),

cell_medians_learned as (
    select
        members.month,
        members.cell,
        count(*) as customers,
        percentile_disc(0.5) within group (order by members.own_margin asc) as median_margin,
        percentile_disc(0.5) within group (order by members.growth_steps asc) as median_growth_steps,
        percentile_disc(0.5) within group (order by members.assets_amount asc) as median_assets_amount
    from members
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on members.month = parameters.month
    group by members.month, members.cell, parameters.cell_min_customers
    having count(*) >= parameters.cell_min_customers
)

select * from cell_medians_learned
