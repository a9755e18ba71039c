-- Each customer's month three times: for itself, for the manager it had at the month's end, and for its branch.
with assets as (
    select
        customer_id,
        month,
        sum(adb_amount) as adb_amount,
        sum(eop_amount) as eop_amount
    from {{ ref('int_customer_family_averages') }}
    group by customer_id, month
),

customers as (
    select
        months.customer_id,
        keys.customer_key,
        managers.rm_id,
        latest.branch_id,
        months.month,
        months.is_partial_month,
        coalesce(assets.adb_amount, 0) as adb_amount,
        coalesce(assets.eop_amount, 0) as eop_amount
    from {{ ref('int_customer_months') }} as months
    inner join {{ ref('int_customer_keys') }} as keys
        on months.customer_id = keys.customer_id
    inner join {{ ref('int_customers_latest') }} as latest
        on months.customer_id = latest.customer_id
    left join assets
        on months.customer_id = assets.customer_id and months.month = assets.month
    left join {{ ref('int_customer_managers_assigned') }} as managers
        on months.customer_id = managers.customer_id and months.month = managers.month
),

customer_levels_valued as (
    {%- for level, key in [('customer', 'customer_key'), ('rm', 'rm_id'), ('branch', 'branch_id')] %}
    select
        customer_id,
        month,
        '{{ level }}' as level,
        {{ key }} as level_key,
        adb_amount,
        eop_amount,
        is_partial_month
    from customers
    where {{ key }} is not null
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from customer_levels_valued
