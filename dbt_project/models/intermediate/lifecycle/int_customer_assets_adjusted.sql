-- Average assets of each customer and month net of what markets and exchange rates did (at the prices and rates of the first month).
-- Whole: the month is over, every feed of it came, and the customer was with the bank on every day.
with customer_assets_adjusted as (
    select
        months.customer_id,
        months.month,
        parameters.month_number,
        months.spell_number,
        not months.is_partial_month and parameters.is_fed as is_whole,
        case
            when parameters.is_fed
                then coalesce({{ exact_quotient('assets.amount_days', 'months.days_in_month') }}, cast(0 as decimal(18, 2)))
        end as adjusted_adb_amount
    from {{ ref('int_customer_months') }} as months
    inner join {{ ref('int_lifecycle_parameters_dated') }} as parameters
        on months.month = parameters.month
    left join {{ ref('int_customer_assets_deflated') }} as assets
        on
            months.customer_id = assets.customer_id
            and months.month = assets.month
)

select * from customer_assets_adjusted
