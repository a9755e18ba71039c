-- Positions held by persons alone, whom the marts show: between these assets can be followed from one to the other. One that was
-- ever held by a firm, or by somebody the bank's customers do not name, is not among them.
with persons as (
    select distinct customer_id from {{ ref('int_customer_spells') }}
),

holders as (
    select
        position_id,
        customer_id
    from {{ ref('int_position_holders') }}
    union all
    select
        position_id,
        customer_id
    from {{ ref('int_orders_converted') }}
),

positions_known as (
    select holders.position_id
    from holders
    left join persons
        on holders.customer_id = persons.customer_id
    group by holders.position_id
    having count(*) = count(persons.customer_id)
)

select * from positions_known
