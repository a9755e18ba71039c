with outflows as (
    select * from {{ ref('int_competitor_outflows_weighed') }}
),

poached as (
    select
        customer_id,
        destination_id,
        business_date,
        lag(business_date) over (
            partition by customer_id, destination_id
            order by business_date asc nulls first
        ) as poached_before
    from outflows
    where is_poaching
),

fct_competitor_outflows as (
    select
        keys.customer_key,
        outflows.destination_id as destination_institution_id,
        outflows.institution_type,
        outflows.business_date as outflow_date,
        outflows.is_own_name,
        outflows.outflow_amount,
        outflows.net_outflow_amount as net_outflow_30d_amount,
        outflows.adb_amount,
        {{ exact_ratio('outflows.net_outflow_amount', 'outflows.adb_amount') }} as share_of_adb,
        outflows.is_poaching,
        case
            when outflows.is_poaching
                then coalesce(poached.poached_before < outflows.business_date - outflows.poaching_window_days, true)
            else outflows.is_poaching
        end as starts_poaching
    from outflows
    inner join {{ ref('int_customer_keys') }} as keys
        on outflows.customer_id = keys.customer_id
    left join poached
        on
            outflows.customer_id = poached.customer_id
            and outflows.destination_id = poached.destination_id
            and outflows.business_date = poached.business_date
            and outflows.is_poaching
)

select * from fct_competitor_outflows
