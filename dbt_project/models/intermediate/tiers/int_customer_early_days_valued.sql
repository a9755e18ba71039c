-- Each customer's assets on the first days of the month after, for months of which those days are observed day by day: not
-- where the bank states the month by its average, nor before the last of the days is over.
with observed as (
    select
        parameters.month,
        parameters.month_end,
        parameters.dressing_reversal_days
    from {{ ref('int_tier_parameters_dated') }} as parameters
    left join (
        select distinct {{ month_start('business_date') }} as month
        from {{ ref('int_positions_observed') }}
        where balance_basis = 'monthly_average'
    ) as stated
        on stated.month = {{ month_start('parameters.month_end + 1') }}
    where
        parameters.is_complete
        and stated.month is null
        and parameters.month_end + parameters.dressing_reversal_days <= {{ as_of() }}
),

days as (
    select
        observed.month,
        days.calendar_date
    from observed
    inner join {{ ref('int_days') }} as days
        on
            days.calendar_date > observed.month_end
            and days.calendar_date <= observed.month_end + observed.dressing_reversal_days
),

amounts as (
    select
        holders.customer_id,
        days.month,
        days.calendar_date,
        sum(cast(cast(spans.observed_amount * fx.rate as decimal(20, 6)) * holders.share_fraction as decimal(26, 12))) as amount
    from days
    inner join {{ ref('int_position_day_spans') }} as spans
        on
            spans.valid_from <= days.calendar_date
            and spans.valid_to > days.calendar_date
    inner join {{ ref('int_products_latest') }} as products
        on
            spans.product_id = products.product_id
            and products.counts_in_aum
    inner join {{ ref('int_fx_spans') }} as fx
        on
            spans.currency_code = fx.currency_code
            and fx.valid_from <= days.calendar_date
            and fx.valid_to > days.calendar_date
    inner join {{ ref('int_position_holders') }} as holders
        on spans.position_id = holders.position_id
    group by holders.customer_id, days.month, days.calendar_date
),

customer_early_days_valued as (
    select
        customer_months.customer_id,
        days.month,
        days.calendar_date,
        cast(coalesce(amounts.amount, 0) as decimal(18, 2)) as amount
    from {{ ref('int_customer_months') }} as customer_months
    inner join days
        on customer_months.month = days.month
    left join amounts
        on
            customer_months.customer_id = amounts.customer_id
            and days.calendar_date = amounts.calendar_date
)

select * from customer_early_days_valued
