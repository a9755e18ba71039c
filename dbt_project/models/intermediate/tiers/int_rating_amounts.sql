-- What may count in a customer's rating, by month and product family; debts are a family of negative amounts. What comes from
-- another record counts in the month on whose last day they belong together, with all months that this one's window reaches.
-- The few debts are brought to the places of the many amounts: else all these would be cast to theirs, and lose six places.
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
        cast(-debt_days as decimal(38, 12)) as amount_days,
        cast(-eop_debt_amount as decimal(38, 12)) as eop_amount,
        cast(-debt_days as decimal(38, 12)) as home_amount_days,
        cast(-eop_debt_amount as decimal(38, 12)) as home_eop_amount
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
