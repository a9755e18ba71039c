with month_ends as (
    select
        customer_key,
        month,
        cast(sum(eop_amount) as decimal(18, 2)) as amount
    from {{ ref('fct_customer_aum_monthly') }}
    where eop_amount <> 0
    group by customer_key, month
),

rows_added as (
    {%- for side, month in [('opening', "cast(month + " ~ months('1') ~ " as date)"), ('closing', 'month')] %}
    select
        customer_key,
        {{ month }} as month,
        '{{ side }}' as part,
        amount,
        0 as converted_amount
    from month_ends
    union all
    {%- endfor %}
    select
        keys.customer_key,
        parts.month,
        parts.part,
        parts.held_amount as amount,
        parts.converted_amount
    from {{ ref('int_customer_bridge_parts') }} as parts
    inner join {{ ref('int_customer_keys') }} as keys
        on parts.customer_id = keys.customer_id
    where parts.is_in_bridge
),

summed as (
    select
        rows_added.customer_key,
        rows_added.month,
        {%- for part in ['opening', 'external', 'market', 'fx', 'income', 'fee', 'transfer', 'correction', 'closing'] %}
        sum(case when rows_added.part = '{{ part }}' then rows_added.amount else 0 end) as {{ part }}_amount,
        {%- endfor %}
        sum(rows_added.converted_amount) as converted_amount
    from rows_added
    -- The first month has no opening, the last no month after it.
    inner join {{ ref('int_bridge_parameters_dated') }} as months
        on rows_added.month = months.month
    group by rows_added.customer_key, rows_added.month
),

-- Each rounded to the cent once, from the exact sum: what the columns show adds up as shown. Most are nothing, and rounding
-- so many places costs more than all the rest.
rounded as (
    select
        {%- for part in ['opening', 'external', 'market', 'fx', 'income', 'fee', 'transfer', 'correction', 'closing', 'converted'] %}
        case when {{ part }}_amount = 0 then 0 else cast(round({{ part }}_amount, 2) as decimal(18, 2)) end as {{ part }}_amount,
        {%- endfor %}
        customer_key,
        month
    from summed
),

bridged as (
    select
        rounded.*,
        months.bridge_tolerance_amount,
        months.bridge_tolerance_share,
        closing_amount - opening_amount - external_amount - market_amount - fx_amount - income_amount - fee_amount - transfer_amount
        - correction_amount as residual_amount
    from rounded
    inner join {{ ref('int_bridge_parameters_dated') }} as months
        on rounded.month = months.month
),

fct_aum_bridge as (
    select
        customer_key,
        month,
        opening_amount,
        external_amount as net_new_money_strict_amount,
        cast(external_amount + income_amount as decimal(18, 2)) as net_new_money_with_income_amount,
        -- A fee is money that leaves: below zero as posted, above zero as shown.
        cast(external_amount + income_amount + fee_amount as decimal(18, 2)) as net_new_fee_generating_amount,
        market_amount as market_movement_amount,
        fx_amount as fx_movement_amount,
        income_amount,
        cast(-fee_amount as decimal(18, 2)) as fee_amount,
        -- Both legs of every conversion are here or in the corrections: what is converted is nothing won.
        cast(0 as decimal(18, 2)) as conversion_amount,
        converted_amount,
        transfer_amount as internal_transfer_amount,
        correction_amount,
        cast(residual_amount as decimal(18, 2)) as residual_amount,
        closing_amount,
        abs(residual_amount)
        <= greatest(bridge_tolerance_amount, bridge_tolerance_share * greatest(opening_amount, closing_amount)) as is_closed
    from bridged
)

select * from fct_aum_bridge
