-- Interest on a customer's share of deposits: what the treasury pays for the money and what the customer gets, in the
-- currency of the deposit and, day by day, in the bank's. A day with money but without a price leaves the line unknown.
with spans as (
    select
        holders.customer_id,
        holders.branch_id,
        holders.share_fraction,
        spans.product_id,
        spans.currency_code,
        spans.month,
        cast(spans.observed_amount as decimal(20, 6)) as amount,
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

priced as (
    select
        spans.*,
        margins.customer_rate,
        margins.transfer_price,
        least(spans.span_to, margins.valid_to) - greatest(spans.span_from, margins.valid_from) as days
    from spans
    inner join {{ ref('int_deposit_margin_spans') }} as margins
        on
            spans.product_id = margins.product_id
            and spans.span_from < margins.valid_to
            and spans.span_to > margins.valid_from
),

interest as (
    select
        customer_id,
        month,
        product_id,
        branch_id,
        currency_code,
        share_fraction,
        bool_or(transfer_price is null and amount > 0) as is_price_missing,
        bool_or(customer_rate is null and amount > 0) as is_rate_missing,
        sum(amount * transfer_price * days) * share_fraction as income_days,
        sum(amount * customer_rate * days) * share_fraction as interest_days,
        sum(reporting_amount * transfer_price * days) * share_fraction as reporting_income_days,
        sum(reporting_amount * customer_rate * days) * share_fraction as reporting_interest_days
    from priced
    group by customer_id, month, product_id, branch_id, currency_code, share_fraction
),

deposit_interest_lines as (
    select
        customer_id,
        month,
        product_id,
        branch_id,
        currency_code,
        bool_or(is_price_missing) as is_price_missing,
        bool_or(is_rate_missing) as is_rate_missing,
        cast(coalesce(sum(income_days), 0) as decimal(38, 12)) as income_days,
        cast(coalesce(sum(interest_days), 0) as decimal(38, 12)) as interest_days,
        cast(coalesce(sum(reporting_income_days), 0) as decimal(38, 12)) as reporting_income_days,
        cast(coalesce(sum(reporting_interest_days), 0) as decimal(38, 12)) as reporting_interest_days
    from interest
    group by customer_id, month, product_id, branch_id, currency_code
)

select * from deposit_interest_lines
