-- What a customer earns the bank in a month for each unit of assets kept here, and the trend of assets, before peers
-- have a say. What is earned beyond policy's limit does not come from assets, and does not grow with them.
with years as (
    select * from {{ ref('int_customer_years_trailed') }}
),

customer_margins_earned as (
    select
        years.*,
        case
            when years.assets_months_amount > 0 and years.contribution_avoidable_year_amount is not null
                then cast(round(greatest(-parameters.margin_max_rate, least(
                    parameters.margin_max_rate, cast(years.contribution_avoidable_year_amount as double) / years.assets_months_amount
                )), 12) as decimal(14, 12))
        end as own_margin,
        case
            when years.asset_slope is null then 0
            else cast(round(
                greatest(-parameters.growth_max_rate, least(parameters.growth_max_rate, years.asset_slope)) * years.trend_months
                / (years.trend_months + parameters.growth_prior_months) / parameters.growth_step_rate
            ) as integer)
        end as growth_steps
    from years
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on years.month = parameters.month
)

select * from customer_margins_earned
