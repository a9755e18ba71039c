with spans as (
    select * from {{ ref('int_position_spans_converted') }}
),

margins as (
    select * from {{ ref('int_deposit_margin_spans') }}
),

interest as (
    select
        spans.position_id,
        spans.month,
        sum(
            spans.reporting_amount * margins.margin_rate
            * (least(spans.span_to, margins.valid_to) - greatest(spans.span_from, margins.valid_from))
        ) as interest_days
    from spans
    inner join margins
        on
            spans.product_id = margins.product_id
            and spans.span_from < margins.valid_to
            and spans.span_to > margins.valid_from
    group by spans.position_id, spans.month
),

customer_deposit_interest as (
    select
        holders.customer_id,
        interest.month,
        sum(cast(interest.interest_days * holders.share_fraction as decimal(38, 12))) as interest_days
    from interest
    inner join {{ ref('int_position_holders') }} as holders
        on interest.position_id = holders.position_id
    group by holders.customer_id, interest.month
)

select * from customer_deposit_interest
