-- Assets of a customer at the end of a month in which, by the customers that the bank sends, there was no relationship: they are
-- not published (a returner's account of before, say). What is not published at a month's end left, what was not at its beginning came.
with outside as (
    select
        averages.customer_id,
        averages.month,
        sum(averages.eop_amount) as amount
    from {{ ref('int_customer_family_averages') }} as averages
    left join {{ ref('int_customer_months') }} as customer_months
        on
            averages.customer_id = customer_months.customer_id
            and averages.month = customer_months.month
    where customer_months.customer_id is null and averages.eop_amount <> 0
    group by averages.customer_id, averages.month
),

ends as (
    select
        customer_id,
        month,
        -amount as amount
    from outside
    union all
    select
        customer_id,
        cast(month + {{ months('1') }} as date) as month,
        amount
    from outside
),

customer_assets_outside as (
    select
        ends.customer_id,
        ends.month,
        cast(sum(ends.amount) as decimal(18, 2)) as amount
    from ends
    inner join {{ ref('int_bridge_parameters_dated') }} as months
        on ends.month = months.month
    group by ends.customer_id, ends.month
    having sum(ends.amount) <> 0
)

select * from customer_assets_outside
