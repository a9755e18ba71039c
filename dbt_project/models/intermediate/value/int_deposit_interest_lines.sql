-- Interest on a customer's share of deposits: what the treasury pays for the money and what the customer gets, to six
-- places. A day with money but without a price leaves the line unknown.
with summed as (
    select
        holders.customer_id,
        money.month,
        money.product_id,
        coalesce(money.moved_branch_id, holders.branch_id) as branch_id,
        money.currency_code,
        max(years.value) as day_count,
        bool_or(money.transfer_price is null and money.amount_days > 0) as is_price_missing,
        bool_or(money.customer_rate is null and money.amount_days > 0) as is_rate_missing,
        coalesce(sum(money.amount_days * money.transfer_price * holders.share_fraction), 0) as income_days,
        coalesce(sum(money.amount_days * money.customer_rate * holders.share_fraction), 0) as interest_days,
        coalesce(sum(money.reporting_amount_days * money.transfer_price * holders.share_fraction), 0) as reporting_income_days,
        coalesce(sum(money.reporting_amount_days * money.customer_rate * holders.share_fraction), 0) as reporting_interest_days
    from {{ ref('int_deposit_money_spans') }} as money
    inner join {{ ref('int_position_holders') }} as holders
        on
            money.position_id = holders.position_id
            and money.held_from = holders.valid_from
            and money.held_to = holders.valid_to
    inner join {{ ref('int_parameter_spans') }} as years
        on
            years.parameter = 'interest_day_count'
            and money.month >= years.valid_from
            and money.month < years.valid_to
    group by
        holders.customer_id, money.month, money.product_id, coalesce(money.moved_branch_id, holders.branch_id), money.currency_code
),

deposit_interest_lines as (
    select
        customer_id,
        month,
        product_id,
        branch_id,
        currency_code,
        is_price_missing,
        is_rate_missing,
        {{ exact_quotient('income_days', 'cast(day_count as integer)', 6) }} as income_amount,
        {{ exact_quotient('interest_days', 'cast(day_count as integer)', 6) }} as interest_amount,
        -- What is in the bank's own currency is not divided twice.
        case
            when currency_code = '{{ var("reporting_currency") }}' then income_amount
            else {{ exact_quotient('reporting_income_days', 'cast(day_count as integer)', 6) }}
        end as reporting_income_amount,
        case
            when currency_code = '{{ var("reporting_currency") }}' then interest_amount
            else {{ exact_quotient('reporting_interest_days', 'cast(day_count as integer)', 6) }}
        end as reporting_interest_amount
    from summed
)

select * from deposit_interest_lines
