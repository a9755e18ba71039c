{%- set forward = {
    'base_value': 'base_central',
    'growth_value': 'growth_central',
    'potential_value': 'potential_central',
    'lifetime_value': 'lifetime_central',
    'lifetime_low_discount_value': 'lifetime_low_discount',
    'lifetime_high_discount_value': 'lifetime_high_discount',
    'lifetime_short_horizon_value': 'lifetime_short_horizon',
    'lifetime_long_horizon_value': 'lifetime_long_horizon',
    'next_year_value': 'lifetime_next_year',
} %}

with valued as (
    select
        states.customer_id,
        states.month,
        states.is_here,
        years.months_observed,
        {{ exact_quotient('cast(years.contribution_avoidable_year_amount as decimal(24, 2)) * 12', 'years.months_observed') }} as explicit_value,
        {{ exact_quotient('cast(years.contribution_full_year_amount as decimal(24, 2)) * 12', 'years.months_observed') }} as explicit_full_value,
        years.assets_amount,
        wallets.wealth_stock_amount,
        wallets.wealth_stock_source,
        projected.cell,
        projected.retention_12m,
        projected.trend_rate,
        projected.is_by_cell_alone,
        projected.horizon_assets_amount,
        -- Who has left by the month's end is worth nothing any more.
        {%- for value, source in forward.items() %}
        case when not states.is_here and years.contribution_avoidable_year_amount is not null then 0 else projected.{{ source }} end as {{ value }},
        {%- endfor %}
        projected.horizon_captured_amount
    from {{ ref('int_customer_value_states') }} as states
    inner join {{ ref('int_customer_years_trailed') }} as years
        on states.customer_id = years.customer_id and states.month = years.month
    left join {{ ref('int_customer_wallets_estimated') }} as wallets
        on states.customer_id = wallets.customer_id and states.month = wallets.month
    left join {{ ref('int_customer_values_projected') }} as projected
        on states.customer_id = projected.customer_id and states.month = projected.month
),

ranked as (
    select
        valued.*,
        count(explicit_value) over by_group as customers,
        row_number() over (partition by month, is_here order by explicit_value desc nulls last, customer_id asc nulls last) as explicit_place,
        row_number() over (
            partition by month, is_here
            order by growth_value + potential_value desc nulls last, customer_id asc nulls last
        ) as future_place
    from valued
    window by_group as (partition by month, is_here)
),

fct_customer_values as (
    select
        keys.customer_key,
        ranked.month,
        ranked.explicit_value,
        ranked.explicit_full_value,
        {%- for value in forward %}
        cast(ranked.{{ value }} as decimal(18, 2)) as {{ value }},
        {%- endfor %}
        ranked.wealth_stock_amount,
        ranked.wealth_stock_source,
        {{ exact_ratio('ranked.assets_amount', 'ranked.wealth_stock_amount') }} as share_of_wallet,
        ranked.horizon_assets_amount,
        ranked.horizon_captured_amount,
        cast(case when ranked.is_here then ranked.retention_12m else 0 end as decimal(9, 6)) as retention_12m,
        ranked.cell as life_table_cell,
        ranked.trend_rate,
        cast(ranked.months_observed as integer) as months_observed,
        ranked.months_observed < 12 or not parameters.is_complete as is_partial,
        coalesce(ranked.is_by_cell_alone, false) as is_by_cell_alone,
        not ranked.is_here as has_left,
        case
            when not ranked.is_here or ranked.explicit_value is null then null
            when ranked.explicit_value < 0 then 'lead'
            when ranked.explicit_place <= parameters.pyramid_platinum_share * ranked.customers then 'platinum'
            when ranked.explicit_place <= (parameters.pyramid_platinum_share + parameters.pyramid_gold_share) * ranked.customers then 'gold'
            else 'iron'
        end as pyramid_level,
        case
            when not ranked.is_here or ranked.growth_value + ranked.potential_value is null then null
            when ranked.explicit_place <= parameters.value_class_high_share * ranked.customers
                then case when ranked.future_place <= parameters.value_class_high_share * ranked.customers then 'most_growable' else 'most_valuable' end
            when ranked.future_place <= parameters.value_class_high_share * ranked.customers then 'prospect'
            else 'ordinary'
        end as value_class
    from ranked
    inner join {{ ref('int_customer_keys') }} as keys
        on ranked.customer_id = keys.customer_id
    inner join {{ ref('int_value_parameters_dated') }} as parameters
        on ranked.month = parameters.month
)

select * from fct_customer_values
