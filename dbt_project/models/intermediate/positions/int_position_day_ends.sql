-- Each position on the last day of each month, in its own currency and in the bank's; one without a rate counts as nothing.
with spans as (
    select * from {{ ref('int_position_day_spans') }}
),

position_day_ends as (
    select
        spans.position_id,
        spans.product_id,
        months.month,
        months.month_end,
        spans.position_kind,
        spans.currency_code,
        spans.observed_amount,
        spans.stated_amount,
        spans.units,
        cast(spans.observed_amount * fx.rate as decimal(20, 6)) as reporting_amount
    from spans
    inner join {{ ref('int_months') }} as months
        on
            spans.valid_from <= months.month_end
            and spans.valid_to > months.month_end
    inner join {{ ref('int_fx_spans') }} as fx
        on
            spans.currency_code = fx.currency_code
            and fx.valid_from <= months.month_end
            and fx.valid_to > months.month_end
)

select * from position_day_ends
