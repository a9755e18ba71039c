-- Each day at that day's rate: spans in foreign currency are cut where the rate changes.
with spans as (
    select * from {{ ref('int_position_month_spans') }}
),

fx as (
    select * from {{ ref('int_fx_spans') }}
),

position_spans_converted as (
    select
        spans.position_id,
        spans.product_id,
        spans.currency_code,
        spans.month,
        greatest(spans.span_from, fx.valid_from) as span_from,
        least(spans.span_to, fx.valid_to) as span_to,
        spans.observed_amount,
        cast(spans.observed_amount * fx.rate as decimal(20, 6)) as reporting_amount
    from spans
    inner join fx
        on
            spans.currency_code = fx.currency_code
            and spans.span_from < fx.valid_to
            and spans.span_to > fx.valid_from
)

select * from position_spans_converted
