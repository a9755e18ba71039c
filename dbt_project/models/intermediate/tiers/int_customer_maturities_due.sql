-- What of a customer's term deposits falls due within the window after a month's end. A deposit is renewed for its own term
-- unless it is paid out, so it falls due whenever a whole number of terms has passed since its opening. No rows where the
-- bank names no terms.
with terms as (
    select
        'account:' || accounts.account_id as position_id,
        accounts.opened_on,
        products.term_days
    from {{ ref('int_accounts_latest') }} as accounts
    inner join {{ ref('int_products_latest') }} as products
        on accounts.product_id = products.product_id
    where products.counts_in_aum and products.term_days > 0
),

due as (
    select
        day_ends.position_id,
        day_ends.month,
        day_ends.reporting_amount
    from {{ ref('int_position_day_ends') }} as day_ends
    inner join terms
        on day_ends.position_id = terms.position_id
    inner join {{ ref('int_tier_parameters_dated') }} as parameters
        on day_ends.month = parameters.month
    where
        terms.term_days - mod(cast(parameters.month_end - terms.opened_on as bigint), terms.term_days)
        <= parameters.maturity_window_days
),

customer_maturities_due as (
    select
        holders.customer_id,
        due.month,
        cast(sum(cast(due.reporting_amount * holders.share_fraction as decimal(26, 12))) as decimal(18, 2)) as maturing_amount
    from due
    inner join {{ ref('int_position_holders') }} as holders
        on due.position_id = holders.position_id
    group by holders.customer_id, due.month
)

select * from customer_maturities_due
