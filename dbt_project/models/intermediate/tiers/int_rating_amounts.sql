-- What may count in a customer's rating, by month and product family; debts are a family of negative amounts. A record that is
-- merged into another on the last day of the month counts there, and is rated on nothing.
with amounts as (
    select
        customer_id,
        month,
        product_family,
        amount_days,
        eop_amount,
        home_amount_days,
        home_eop_amount
    from {{ ref('int_customer_family_months') }}
    union all
    select
        customer_id,
        month,
        'debt' as product_family,
        -debt_days as amount_days,
        -eop_debt_amount as eop_amount,
        -debt_days as home_amount_days,
        -eop_debt_amount as home_eop_amount
    from {{ ref('int_customer_debt_months') }}
),

merged_months as (
    select distinct
        merged.customer_id,
        months.month
    from {{ ref('int_merged_records') }} as merged
    inner join {{ ref('int_months') }} as months
        on
            merged.merged_from <= months.month_end
            and merged.merged_to > months.month_end
),

counted as (
    select
        amounts.*,
        cast(null as varchar) as rating_kind
    from amounts
    union all
    select
        members.customer_id,
        amounts.month,
        amounts.product_family,
        amounts.amount_days,
        amounts.eop_amount,
        amounts.home_amount_days,
        amounts.home_eop_amount,
        members.rating_kind
    from {{ ref('int_rating_members') }} as members
    inner join amounts
        on
            members.member_id = amounts.customer_id
            and members.month = amounts.month
),

rating_amounts as (
    select counted.*
    from counted
    left join merged_months
        on
            counted.customer_id = merged_months.customer_id
            and counted.month = merged_months.month
    where merged_months.customer_id is null
)

select * from rating_amounts
