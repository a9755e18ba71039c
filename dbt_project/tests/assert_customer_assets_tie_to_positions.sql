-- What customers hold together is what the positions hold: no yuan is lost or counted twice between them. A cent a
-- customer and family may be rounding.
with positions as (
    select
        spans.month,
        sum(spans.reporting_amount * (spans.span_to - spans.span_from)) as amount_days
    from {{ ref('int_position_spans_converted') }} as spans
    inner join {{ ref('int_products_latest') }} as products
        on spans.product_id = products.product_id
    where products.counts_in_aum
    group by spans.month
),

customers as (
    select
        averages.month,
        sum(averages.adb_amount) as adb_amount,
        count(*) as roundings
    from {{ ref('int_customer_family_averages') }} as averages
    group by averages.month
)

select
    months.month,
    positions.amount_days / months.days_in_month as position_amount,
    customers.adb_amount
from {{ ref('int_months') }} as months
inner join positions
    on months.month = positions.month
left join customers
    on months.month = customers.month
where
    customers.adb_amount is null
    or abs(positions.amount_days - customers.adb_amount * months.days_in_month)
    > customers.roundings * months.days_in_month * cast(0.01 as decimal(3, 2))
