-- What may count in a customer's rating, by month and product family; debts are a family of negative amounts. What comes from
-- another record counts in the month on whose last day they belong together, with all months that this one's window reaches.
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

rating_amounts as (
    select
        amounts.*,
        cast(null as varchar) as rating_kind,
        cast(null as date) as rated_month
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
        members.rating_kind,
        members.month as rated_month
    from {{ ref('int_rating_members') }} as members
    inner join amounts
        on
            members.member_id = amounts.customer_id
            and amounts.month <= members.month
            and amounts.month >= cast(members.month - {{ months('2') }} as date)
)

select * from rating_amounts
