-- Of the wealth that customers of a cell had elsewhere a year ago, the share that has come here since, of those who stayed. While
-- history is shorter than a year, what came since it began, taken for a year.
with origins as (
    select
        parameters.month,
        greatest(parameters.month - {{ months('12') }}, parameters.first_month) as origin_month,
        parameters.cell_min_customers
    from {{ ref('int_value_parameters_dated') }} as parameters
    where parameters.month > parameters.first_month
),

followed as (
    select
        origins.month,
        origins.cell_min_customers,
        (extract(year from origins.month) - extract(year from origins.origin_month)) * 12
        + extract(month from origins.month) - extract(month from origins.origin_month) as span_months,
        cells.tier_code,
        cells.tenure_cell,
        cells.own_cell,
        wallets.wealth_stock_amount - wallets.assets_amount as gap_amount,
        later.assets_amount - wallets.assets_amount as closed_amount
    from origins
    inner join {{ ref('int_customer_wallets_estimated') }} as wallets
        on origins.origin_month = wallets.month
    inner join {{ ref('int_customer_cells_pooled') }} as cells
        on wallets.customer_id = cells.customer_id and wallets.month = cells.month
    inner join {{ ref('int_customer_wallets_estimated') }} as later
        on wallets.customer_id = later.customer_id and origins.month = later.month
    where wallets.wealth_stock_amount > wallets.assets_amount
),

widened as (
    select
        followed.*,
        case widths.width
            when 3 then own_cell
            when 2 then tenure_cell
            when 1 then tier_code
            else ''
        end as cell
    from followed
    cross join (values (0), (1), (2), (3)) as widths (width)
),

summed as (
    select
        month,
        cell,
        span_months,
        greatest(0, least(1, cast(sum(closed_amount) as double) / cast(sum(gap_amount) as double))) as closed_share
    from widened
    group by month, cell, span_months, cell_min_customers
    having count(*) >= cell_min_customers
),

cell_captures_learned as (
    select
        month,
        cell,
        cast(round(1 - power(1 - closed_share, cast(12 as double) / span_months), 6) as decimal(9, 6)) as capture_rate
    from summed
)

select * from cell_captures_learned
