with spans as (
    select * from {{ ref('int_loan_month_spans') }}
),

priced as (
    select
        spans.customer_id,
        spans.month,
        spans.reporting_amount,
        spans.is_month_end,
        spans.span_to - spans.span_from as days,
        cast(spans.interest_rate - prices.rate as decimal(9, 6)) as margin_rate,
        cast(spans.probability_of_default * spans.loss_given_default as decimal(9, 6)) as expected_loss_rate
    from spans
    inner join {{ ref('int_products_latest') }} as products
        on spans.product_id = products.product_id
    -- The transfer price is fixed when the loan is made, for its term; one made before prices were kept takes the first.
    left join {{ ref('int_transfer_price_spans') }} as prices
        on
            products.product_family = prices.product_family
            and products.term_days = prices.tenor_days
            and spans.currency_code = prices.currency_code
            and (spans.opened_on >= prices.valid_from or prices.is_first)
            and spans.opened_on < prices.valid_to
),

customer_loan_interest as (
    select
        customer_id,
        month,
        cast(sum(reporting_amount * margin_rate * days) as decimal(38, 12)) as interest_days,
        cast(sum(case when is_month_end then reporting_amount * expected_loss_rate else 0 end) as decimal(38, 12))
            as expected_loss_year_amount
    from priced
    group by customer_id, month
)

select * from customer_loan_interest
