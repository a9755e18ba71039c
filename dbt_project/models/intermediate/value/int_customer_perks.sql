-- A programme costs its amount for every month in which the customer is a member for at least a day.
with programmes as (
    select * from {{ ref('stg_crm__programmes') }}
    where business_date = (select max(business_date) from {{ ref('stg_crm__programmes') }})
),

customer_perks as (
    select
        programmes.customer_id,
        months.month,
        sum(programmes.cost_amount) as cost_amount
    from programmes
    inner join {{ ref('int_months') }} as months
        on
            programmes.joined_on <= months.month_end
            and (programmes.left_on is null or programmes.left_on > months.month)
    group by programmes.customer_id, months.month
)

select * from customer_perks
