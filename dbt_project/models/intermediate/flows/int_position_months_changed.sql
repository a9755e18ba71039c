-- A position's month in one currency: how far what counts, what the bank states and the units moved from month end to month end,
-- and what was posted (accounts) or ordered (holdings) between them. Money in another currency than the position's stands alone.
with months as (
    select * from {{ ref('int_bridge_parameters_dated') }}
),

month_ends as (
    select day_ends.*
    from {{ ref('int_position_day_ends') }} as day_ends
    inner join {{ ref('int_products_latest') }} as products
        on day_ends.product_id = products.product_id
    where products.counts_in_aum
),

changes as (
    {%- for side, sign, month in [('closing', '', 'month'), ('opening', '-', "cast(month + " ~ months('1') ~ " as date)")] %}
    select
        position_id,
        currency_code,
        {{ month }} as month,
        cast(null as varchar) as customer_id,
        position_kind = 'holding' and units is null as is_without_units,
        {{ sign }}observed_amount as counted_change,
        {{ sign }}stated_amount as stated_change,
        {{ sign }}units as units_unexplained,
        {% if side == 'opening' %}reporting_amount{% else %}0{% endif %} as opening_amount,
        {% if side == 'closing' %}reporting_amount{% else %}0{% endif %} as closing_amount,
        0 as moved_amount,
        0 as moved_reporting_amount
    from month_ends
    union all
    {%- endfor %}
    select
        position_id,
        currency_code,
        month,
        customer_id,
        is_without_units,
        0 as counted_change,
        0 as stated_change,
        -units as units_unexplained,
        0 as opening_amount,
        0 as closing_amount,
        amount as moved_amount,
        reporting_amount as moved_reporting_amount
    from {{ ref('int_position_movements') }}
),

position_months_changed as (
    select
        changes.position_id,
        changes.currency_code,
        changes.month,
        months.month_end,
        months.opening_end,
        max(changes.customer_id) as customer_id,
        bool_or(changes.is_without_units) as is_without_units,
        cast(sum(changes.units_unexplained) as decimal(28, 6)) as units_unexplained,
        {%- for column in ['counted_change', 'stated_change', 'moved_amount'] %}
        cast(sum(changes.{{ column }}) as decimal(18, 2)) as {{ column }},
        {%- endfor %}
        cast(sum(changes.opening_amount) as decimal(20, 6)) as opening_amount,
        cast(sum(changes.closing_amount) as decimal(20, 6)) as closing_amount,
        cast(sum(changes.moved_reporting_amount) as decimal(20, 6)) as moved_reporting_amount
    from changes
    inner join months
        on changes.month = months.month
    group by changes.position_id, changes.currency_code, changes.month, months.month_end, months.opening_end
)

select * from position_months_changed
