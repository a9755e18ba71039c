-- Everything that moves a customer's assets in a month, exactly, by part of the bridge and currency; and, not in the bridge
-- (`is_in_bridge`), what landed and belongs to no customer's bridge.
with persons as (
    select distinct customer_id from {{ ref('int_customer_spells') }}
),

customer_bridge_parts as (
    select
        customer_id,
        month,
        currency_code,
        part,
        correction_reason,
        is_in_bridge,
        movements,
        amount,
        held_amount,
        converted_amount
    from {{ ref('int_customer_flows') }}
    union all
    select
        customer_id,
        month,
        currency_code,
        part,
        correction_reason,
        true as is_in_bridge,
        0 as movements,
        amount,
        held_amount,
        0 as converted_amount
    from {{ ref('int_customer_position_changes') }}
    union all
    select
        changes.customer_id,
        changes.month,
        changes.currency_code,
        case when changes.correction_reason is null then 'transfer' else 'correction' end as part,
        changes.correction_reason,
        true as is_in_bridge,
        0 as movements,
        null as amount,
        changes.amount as held_amount,
        0 as converted_amount
    from {{ ref('int_holder_changes') }} as changes
    inner join persons
        on changes.customer_id = persons.customer_id
    union all
    select
        outside.customer_id,
        outside.month,
        '{{ var("reporting_currency") }}' as currency_code,
        'correction' as part,
        'outside_relationship' as correction_reason,
        true as is_in_bridge,
        0 as movements,
        outside.amount,
        outside.amount as held_amount,
        0 as converted_amount
    from {{ ref('int_customer_assets_outside') }} as outside
    inner join persons
        on outside.customer_id = persons.customer_id
)

select * from customer_bridge_parts
