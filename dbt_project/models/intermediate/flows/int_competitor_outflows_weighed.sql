-- Each day with an outflow to a bank, broker or lender: what of the last days' outflows did not come back, against what the
-- customer had here before the window began.
with days as (
    select * from {{ ref('int_competitor_days_summed') }}
),

-- As published: of months in which there was a relationship.
assets as (
    select averages.*
    from {{ ref('int_customer_assets_averaged') }} as averages
    inner join {{ ref('int_customer_months') }} as customer_months
        on
            averages.customer_id = customer_months.customer_id
            and averages.month = customer_months.month
),

outflows as (
    select
        days.*,
        parameters.poaching_window_days,
        parameters.poaching_min_share,
        parameters.poaching_min_adb_amount,
        {{ month_start(month_start('days.business_date - (parameters.poaching_window_days - 1)') ~ ' - 1') }} as month_before
    from days
    left join {{ ref('int_leakage_parameters_dated') }} as parameters
        on {{ month_start('days.business_date') }} = parameters.month
    where days.outflow_amount > 0
),

netted as (
    select
        outflows.customer_id,
        outflows.business_date,
        outflows.institution_type,
        outflows.destination_id,
        cast(round(sum(windows.outflow_amount - windows.returned_amount), 2) as decimal(18, 2)) as net_outflow_amount
    from outflows
    inner join days as windows
        on
            outflows.customer_id = windows.customer_id
            and outflows.netted_with = windows.netted_with
            and outflows.business_date >= windows.business_date
            and outflows.business_date - outflows.poaching_window_days < windows.business_date
    group by outflows.customer_id, outflows.business_date, outflows.institution_type, outflows.destination_id
),

competitor_outflows_weighed as (
    select
        outflows.customer_id,
        outflows.business_date,
        outflows.institution_type,
        outflows.destination_id,
        outflows.is_own_name,
        outflows.poaching_window_days,
        cast(round(outflows.outflow_amount, 2) as decimal(18, 2)) as outflow_amount,
        netted.net_outflow_amount,
        assets.adb_amount,
        case
            when outflows.institution_type <> 'other_bank' then false
            when outflows.is_own_name is null or assets.adb_amount is null then null
            else
                assets.adb_amount >= outflows.poaching_min_adb_amount
                and netted.net_outflow_amount >= outflows.poaching_min_share * assets.adb_amount
        end as is_poaching
    from outflows
    left join netted
        on
            outflows.customer_id = netted.customer_id
            and outflows.business_date = netted.business_date
            and outflows.institution_type = netted.institution_type
            and outflows.destination_id = netted.destination_id
    left join assets
        on
            outflows.customer_id = assets.customer_id
            and outflows.month_before = assets.month
)

select * from competitor_outflows_weighed
