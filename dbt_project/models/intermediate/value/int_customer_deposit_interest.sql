with spans as (
    select
        holders.customer_id,
        holders.share_fraction,
        spans.product_id,
        spans.month,
        spans.reporting_amount,
        greatest(spans.span_from, holders.valid_from) as span_from,
        least(spans.span_to, holders.valid_to) as span_to
    from {{ ref('int_position_spans_converted') }} as spans
    inner join {{ ref('int_position_holders') }} as holders
        on
            spans.position_id = holders.position_id
            and spans.span_from < holders.valid_to
            and spans.span_to > holders.valid_from
),

interest as (
    select
        spans.customer_id,
        spans.share_fraction,
        spans.month,
        sum(
            spans.reporting_amount * margins.margin_rate
            * (least(spans.span_to, margins.valid_to) - greatest(spans.span_from, margins.valid_from))
        ) as interest_days
    from spans
    inner join {{ ref('int_deposit_margin_spans') }} as margins
        on
            spans.product_id = margins.product_id
            and spans.span_from < margins.valid_to
            and spans.span_to > margins.valid_from
    group by spans.customer_id, spans.share_fraction, spans.month
),

customer_deposit_interest as (
    select
        customer_id,
        month,
        sum(cast(interest_days * share_fraction as decimal(38, 12))) as interest_days
    from interest
    group by customer_id, month
)

select * from customer_deposit_interest
