with month_ends as (
    select
        customer_key,
        month,
        cast(sum(eop_amount) as decimal(18, 2)) as amount
    from {{ ref('fct_customer_aum_monthly') }}
    where eop_amount <> 0
    group by customer_key, month
),

ends as (
    select
        coalesce(closings.customer_key, openings.customer_key) as customer_key,
        coalesce(closings.month, cast(openings.month + {{ months('1') }} as date)) as month,
        openings.amount as opening_amount,
        closings.amount as closing_amount
    from month_ends as closings
    full outer join month_ends as openings
        on
            closings.customer_key = openings.customer_key
            and closings.month = cast(openings.month + {{ months('1') }} as date)
),

summed as (
    select
        keys.customer_key,
        parts.month,
        {%- for part in ['external', 'market', 'fx', 'income', 'fee', 'transfer', 'correction'] %}
        sum(case when parts.part = '{{ part }}' then parts.held_amount else 0 end) as {{ part }}_amount,
        {%- endfor %}
        sum(parts.converted_amount) as converted_amount
    from {{ ref('int_customer_bridge_parts') }} as parts
    inner join {{ ref('int_customer_keys') }} as keys
        on parts.customer_id = keys.customer_id
    where parts.is_in_bridge
    group by keys.customer_key, parts.month
),

-- Each rounded to the cent once, from the exact sum: what the columns show adds up as shown. Most are nothing, and rounding
-- so many places costs more than all the rest.
rounded as (
    select
        {%- for part in ['external', 'market', 'fx', 'income', 'fee', 'transfer', 'correction', 'converted'] %}
        cast(case when coalesce({{ part }}_amount, 0) = 0 then 0 else round({{ part }}_amount, 2) end as decimal(18, 2)) as {{ part }}_amount,
        {%- endfor %}
        coalesce(ends.customer_key, summed.customer_key) as customer_key,
        coalesce(ends.month, summed.month) as month,
        coalesce(ends.opening_amount, 0) as opening_amount,
        coalesce(ends.closing_amount, 0) as closing_amount
    from ends
    full outer join summed
        on
            ends.customer_key = summed.customer_key
            and ends.month = summed.month
),

bridged as (
    select
        rounded.*,
        months.bridge_tolerance_amount,
        months.bridge_tolerance_share,
        closing_amount - opening_amount - external_amount - market_amount - fx_amount - income_amount - fee_amount - transfer_amount
        - correction_amount as residual_amount
    from rounded
    -- The first month has no opening, the last no month after it.
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
