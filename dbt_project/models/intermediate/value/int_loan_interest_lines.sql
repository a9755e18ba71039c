-- Interest of a loan, what the treasury asks for its money, and the loss to be expected of a year, in the loan's currency
-- and in the bank's. A rate above what policy takes for a fraction (4.5 for 0.045) counts as missing.
with spans as (
    select
        spans.*,
        cast(years.value as integer) as day_count,
        spans.span_to - spans.span_from as days,
        cast(case when abs(spans.interest_rate) <= highest.value then spans.interest_rate end as decimal(9, 6)) as customer_rate
    from {{ ref('int_loan_month_spans') }} as spans
    inner join {{ ref('int_parameter_spans') }} as highest
        on
            highest.parameter = 'interest_rate_highest'
            and spans.month >= highest.valid_from
            and spans.month < highest.valid_to
    inner join {{ ref('int_parameter_spans') }} as years
        on years.parameter = 'interest_day_count' and spans.month >= years.valid_from and spans.month < years.valid_to
),

priced as (
    select
        spans.*,
        cast(prices.rate as decimal(9, 6)) as transfer_price,
        -- Both with all their places: rounded to six, a small probability would be off by more than the ledger allows.
        cast(spans.probability_of_default as decimal(9, 6)) * cast(spans.loss_given_default as decimal(9, 6)) as loss_rate
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

summed as (
    select
        customer_id,
        month,
        loan_id,
        product_id,
        branch_id,
        currency_code,
        max(day_count) as day_count,
        max(customer_rate) as customer_rate,
        max(transfer_price) as transfer_price,
        max(case when is_month_end then probability_of_default end) as probability_of_default,
        max(case when is_month_end then loss_given_default end) as loss_given_default,
        bool_or(transfer_price is null and amount > 0) as is_price_missing,
        bool_or(customer_rate is null and amount > 0) as is_rate_missing,
        bool_or(is_month_end and probability_of_default is null and amount > 0) as is_default_missing,
        bool_or(is_month_end and loss_given_default is null and amount > 0) as is_loss_missing,
        coalesce(sum(amount * customer_rate * days), 0) as interest_days,
        coalesce(sum(amount * transfer_price * days), 0) as charge_days,
        coalesce(sum(case when is_month_end then amount * loss_rate end), 0) as loss_year_amount,
        coalesce(sum(reporting_amount * customer_rate * days), 0) as reporting_interest_days,
        coalesce(sum(reporting_amount * transfer_price * days), 0) as reporting_charge_days,
        coalesce(sum(case when is_month_end then reporting_amount * loss_rate end), 0) as reporting_loss_year_amount
    from priced
    group by customer_id, month, loan_id, product_id, branch_id, currency_code
),

loan_interest_lines as (
    select
        summed.*,
        {{ exact_quotient('interest_days', 'day_count', 6) }} as interest_amount,
        {{ exact_quotient('charge_days', 'day_count', 6) }} as charge_amount,
        {{ exact_quotient('loss_year_amount', 12, 6) }} as loss_amount,
        {{ exact_quotient('reporting_interest_days', 'day_count', 6) }} as reporting_interest_amount,
        {{ exact_quotient('reporting_charge_days', 'day_count', 6) }} as reporting_charge_amount,
        {{ exact_quotient('reporting_loss_year_amount', 12, 6) }} as reporting_loss_amount
    from summed
)

select * from loan_interest_lines
