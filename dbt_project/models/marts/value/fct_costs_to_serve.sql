with done as (
    select
        customer_id,
        month,
        channel,
        sum(units) as units,
        bool_or(full_amount is null) as is_full_missing,
        bool_or(avoidable_amount is null) as is_avoidable_missing,
        sum(full_amount) as full_amount,
        sum(avoidable_amount) as avoidable_amount
    from {{ ref('int_channel_costs') }}
    group by customer_id, month, channel
),

moves as (
    select
        customer_id,
        month,
        channel,
        bool_or(saving_amount is null) as is_saving_missing,
        sum(saving_amount) as saving_amount
    from {{ ref('int_channel_moves') }}
    group by customer_id, month, channel
),

both_sides as (
    select
        coalesce(done.customer_id, moves.customer_id) as customer_id,
        coalesce(done.month, moves.month) as month,
        coalesce(done.channel, moves.channel) as channel,
        coalesce(done.units, 0) as units,
        case when done.is_full_missing then null else coalesce(done.full_amount, 0) end as full_amount,
        case when done.is_avoidable_missing then null else coalesce(done.avoidable_amount, 0) end as avoidable_amount,
        case when moves.is_saving_missing then null else moves.saving_amount end as saving_amount
    from done
    full outer join moves
        on
            done.customer_id = moves.customer_id
            and done.month = moves.month
            and done.channel = moves.channel
),

fct_costs_to_serve as (
    select
        keys.customer_key,
        both_sides.month,
        both_sides.channel,
        cast(both_sides.units as bigint) as units,
        cast(round(both_sides.full_amount, 2) as decimal(18, 2)) as cost_full_amount,
        cast(round(both_sides.avoidable_amount, 2) as decimal(18, 2)) as cost_avoidable_amount,
        cast(both_sides.saving_amount as decimal(18, 2)) as migration_saving_amount
    from both_sides
    inner join {{ ref('int_customer_keys') }} as keys
        on both_sides.customer_id = keys.customer_id
    -- As all facts: customers, in the months in which they are with the bank.
    inner join {{ ref('int_customer_months') }} as months
        on
            both_sides.customer_id = months.customer_id
            and both_sides.month = months.month
    {% if 'finance__unit_costs' not in var('provided') -%}
    where false  -- work without a price says nothing of what it costs
    {%- endif %}
)

select * from fct_costs_to_serve
